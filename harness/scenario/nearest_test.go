package scenario

import "testing"

func TestNearest(t *testing.T) {
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
		if got, ok := Nearest(c.word, c.among); got != c.want || ok != (c.want != "") {
			t.Errorf("Nearest(%q, %q) = %q, %v; want %q", c.word, c.among, got, ok, c.want)
		}
	}
}
