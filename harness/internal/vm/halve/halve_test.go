package halve

import (
	"errors"
	"slices"
	"testing"
)

func none(int) bool { return false }

// TestSearch: in every row of up to 40, with each place of the change and each single kernel that does not tell, the
// change is found between the right neighbours, in about as many looks as are told.
func TestSearch(t *testing.T) {
	for n := 2; n <= 40; n++ {
		for first := 1; first < n; first++ { // the first bad one
			for mute := 0; mute < n-1; mute++ { // 0: all tell
				looks := 0
				f, err := Search(n, none, func(i int) (Verdict, error) {
					looks++
					switch {
					case i == 0 || i == n-1:
						t.Fatalf("it looks at an end again: %d of %d", i, n)
					case i == mute:
						return Untold, nil
					case i < first:
						return Good, nil
					}
					return Bad, nil
				})
				if err != nil {
					t.Fatal(err)
				}
				if f.Good >= first || f.Bad < first || f.Bad-f.Good-1 != len(f.Between) || len(f.Between) > 1 ||
					len(f.Between) == 1 && f.Between[0] != mute {
					t.Fatalf("%d kernels, the first bad one is %d, %d does not tell: found %+v", n, first, mute, f)
				}
				if looks > Looks(n)+2 {
					t.Errorf("%d kernels: %d looks, told were %d", n, looks, Looks(n))
				}
			}
		}
	}
}

// TestSearchDoubtful: those that are doubtful come last, and the change is found between the others without them.
func TestSearchDoubtful(t *testing.T) {
	var order []int
	doubtful := func(i int) bool { return i >= 3 && i <= 6 }
	f, err := Search(10, doubtful, func(i int) (Verdict, error) {
		order = append(order, i)
		switch {
		case doubtful(i):
			return Untold, nil
		case i < 5:
			return Good, nil
		}
		return Bad, nil
	})
	if want := []int{2, 7, 4, 3, 5, 6}; err != nil || !slices.Equal(order, want) {
		t.Errorf("looked at %v, want %v (%v)", order, want, err)
	}
	if f.Good != 2 || f.Bad != 7 || !slices.Equal(f.Between, []int{3, 4, 5, 6}) {
		t.Errorf("found %+v", f)
	}
}

func TestSearchUntold(t *testing.T) {
	f, err := Search(5, none, func(int) (Verdict, error) { return Untold, nil })
	if err != nil || f.Good != 0 || f.Bad != 4 || !slices.Equal(f.Between, []int{1, 2, 3}) {
		t.Errorf("where none tells, found %+v, %v", f, err)
	}
}

func TestSearchError(t *testing.T) {
	broken := errors.New("broken")
	if _, err := Search(5, none, func(int) (Verdict, error) { return Good, broken }); err != broken {
		t.Errorf("the error of a look is %v", err)
	}
}
