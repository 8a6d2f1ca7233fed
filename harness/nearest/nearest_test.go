package nearest

import "testing"

func TestDistance(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
	}{
		{"", "", 0},
		{"", "eth0", 8},
		{"eth0", "", 8},
		{"vnix-prodns", "vnix-prodns", 0},
		{"vnic-prodns", "vnix-prodns", 2},
		{"VNIX-PRODNS", "vnix-prodns", 1},
		{"VNIC-PRODNS", "vnix-prodns", 3},
		{"Foo", "Foox", 2}, // the same capital on both sides costs nothing
		{"ehr0", "eth0", 4},
		{"teh0", "eth0", 2},
		{"ethO", "eth0", 2},
		{"eht0", "eth0", 2}, // swapped with its neighbour
		{"ca", "abc", 6},    // restricted: a letter is not moved twice
		{"straße", "STRASSE", 5},
		{"\xff", "\xfe", 1}, // no UTF-8: never the same as something else
	} {
		if got := Distance(c.a, c.b); got != c.want {
			t.Errorf("Distance(%q, %q) = %d, want %d", c.a, c.b, got, c.want)
		}
		if got := Distance(c.b, c.a); got != c.want {
			t.Errorf("Distance(%q, %q) = %d, want %d", c.b, c.a, got, c.want)
		}
	}
}

func FuzzDistance(f *testing.F) {
	f.Add("vnic-prodns", "vnix-prodns")
	f.Add("", "\xff\xfe")
	f.Fuzz(func(t *testing.T, a, b string) {
		ab := Distance(a, b)
		if ab != Distance(b, a) {
			t.Errorf("not symmetric for %q and %q", a, b)
		}
		if (ab == 0) != (a == b) {
			t.Errorf("Distance(%q, %q) = %d", a, b, ab)
		}
		if longest := max(len([]rune(a)), len([]rune(b))); ab > 2*longest+1 {
			t.Errorf("Distance(%q, %q) = %d, more than all %d letters", a, b, ab, longest)
		}
	})
}

func TestWord(t *testing.T) {
	for _, c := range []struct {
		word  string
		among []string
		want  string
	}{
		{"vnic-prodns", []string{"vnic-testns", "vnix-prodns"}, "vnix-prodns"},
		{"cabel", []string{"cables", "cable"}, "cable"}, // two swapped letters are one slip
		{"VNIX-PRODNS", []string{"vnix-prodns"}, "vnix-prodns"},
		{"kinds", []string{"id", "kind", "level"}, "kind"},
		{"lo", []string{"eth0", "l0"}, "l0"},
		{"ab", []string{"cd"}, ""},
		{"a", []string{"abcdefgh"}, ""},
		{"ab1", []string{"ab2", "ab3"}, "ab2"},
		{"", []string{"a"}, "a"},
		{"x", nil, ""},
		{"größe", []string{"grosse", "größen"}, "größen"},
	} {
		if got, ok := Word(c.word, c.among); got != c.want || ok != (c.want != "") {
			t.Errorf("Word(%q, %q) = %q, %v; want %q", c.word, c.among, got, ok, c.want)
		}
	}
}
