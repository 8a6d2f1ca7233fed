package sitting

import "testing"

func TestJoin(t *testing.T) {
	at := func(step int, checks ...Check) News { return News{Step: step, Now: checks} }
	holds, lost := Check{Text: "a", Status: Holds}, Check{Text: "a", Status: Lost}
	other := Check{Text: "b", Status: Holds}
	for name, c := range map[string]struct {
		all  []News
		want []Check
		any  bool
	}{
		"none":           {nil, nil, false},
		"one":            {[]News{at(1, holds)}, []Check{holds}, true},
		"two":            {[]News{at(1, holds), at(1, other)}, []Check{holds, other}, true},
		"there and back": {[]News{at(1, holds), at(1, lost)}, nil, false},
		"and again":      {[]News{at(1, lost), at(1, holds), at(1, lost)}, []Check{lost}, true},
		"the next step":  {[]News{at(1, holds), at(2, other)}, []Check{other}, true},
	} {
		got, any := Join(c.all)
		if any != c.any || len(got.Now) != len(c.want) {
			t.Errorf("%s: %+v, %v", name, got.Now, any)
			continue
		}
		for i := range c.want {
			if got.Now[i] != c.want[i] {
				t.Errorf("%s: %+v, want %+v", name, got.Now, c.want)
			}
		}
	}
}
