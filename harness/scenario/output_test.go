package scenario

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const ipAddr = `2: cable-l    inet 10.2.0.1/24 scope global cable-l\       valid_lft forever preferred_lft forever
2: cable-l    inet6 fe80::40f9:16ff:fe99:a809/64 scope link tentative \       valid_lft forever preferred_lft forever
`

func TestMatchOutput(t *testing.T) {
	for _, c := range []struct{ want, got string }{
		{"a\nb", "a\nb\n"},
		{"a\nb", "a\nb"},
		{"a\nb", "a  \nb\t\n\n\n"},
		{"a b", "a \t  b"},
		{" a", "\t\ta"},
		{"a\n\nb", "a\n\nb\n"},
		{"", ""}, {"", "\n"},
		{"...", ""}, {"...", "a\nb\n"}, {"...\n...", "a"},
		{"a\n...", "a"}, {"a\n...", "a\nb\nc"},
		{"...\nc", "a\nb\nc"}, {"...\nc", "c"},
		{"...\nb\n...", "a\nb\nc"}, {"...\nb\n...", "b"},
		{"...\nb\nc\n...", "b\na\nb\nc\nd"},
		{"a\n...\na", "a\na"},
		{"  ...  \nb", "a\nb"},
		{"...:", "2:"},
		{"1: lo: <LOOPBACK> mtu 65536 ... state DOWN ...",
			"1: lo: <LOOPBACK> mtu 65536 qdisc noop state DOWN mode DEFAULT"},
		{"mtu ... state DOWN ...", "mtu state DOWN"},  // no text between blanks is one blank
		{"a ... ... b", "a b"}, {"a ...... b", "a b"}, // nor several times
		{"... b", " b"}, {"a...b", "ab"}, {"a...b", "a b"},
		{"time=... ms", "time=0.155 ms"},
		{"a...a", "aa"}, {"...a...", "xax"}, {"a...b...b", "abb"},
		{"...: cable-l inet 10.2.0.1/24 ...\n...", ipAddr},
	} {
		if m := MatchOutput(strings.Split(c.want, "\n"), c.got); m != nil {
			t.Errorf("%q does not fit %q: %v", c.got, c.want, m)
		}
	}
	for _, c := range []struct {
		want, got string
		mismatch  Mismatch
	}{
		{"a\nb", "a\nc", Mismatch{1, `"b"`, `"c"`}},
		{"a\nb", "a", Mismatch{1, `"b"`, "the end of the output"}},
		{"a", "a\nb", Mismatch{1, "the end of the output", `"b"`}},
		{"a", "", Mismatch{0, `"a"`, "the end of the output"}},
		{"", "a", Mismatch{0, "the end of the output", `"a"`}},
		{"a\n\nb", "a\nb", Mismatch{1, `""`, `"b"`}},
		{"a\nb", "a\n\nb", Mismatch{1, `"b"`, `""`}},
		{"a", "\na", Mismatch{0, `"a"`, `""`}},
		{" a", "a", Mismatch{0, `" a"`, `"a" (only the blank at the beginning is different)`}},
		{"a", "\ta", Mismatch{0, `"a"`, `" a" (only the blank at the beginning is different)`}},
		{"a", "a\u00a0", Mismatch{0, `"a"`, `"a\u00a0"`}},
		{strings.Repeat("x", 200_000) + "y", strings.Repeat("x", 200_000) + "z",
			Mismatch{0, `"…` + strings.Repeat("x", 30) + `y"`, `"…` + strings.Repeat("x", 30) + `z"`}},
		{"a", "A", Mismatch{0, `"a"`, `"A"`}},
		{"a\n...\nx\ny\n...", "a\nx\nb\ny", Mismatch{3, `"y"`, `"b"`}}, // the attempt that matched most lines
		{"...\nb", "a\nb\nc", Mismatch{1, `"b"`, `"c"`}},
		{"a\n...\na", "a", Mismatch{2, `"a"`, "the end of the output"}},
		{"a...aa", "aa", Mismatch{0, `"a...aa"`, `"aa"`}},
		{"a ... b", "ab", Mismatch{0, `"a ... b"`, `"ab"`}},
		{"... b", "b", Mismatch{0, `"... b"`, `"b"`}},
		{"a...b...c", "acb", Mismatch{0, `"a...b...c"`, `"acb"`}},
	} {
		m := MatchOutput(strings.Split(c.want, "\n"), c.got)
		if m == nil {
			t.Errorf("%q fits %q", c.got, c.want)
			continue
		}
		if diff := cmp.Diff(c.mismatch, *m); diff != "" {
			t.Errorf("%q against %q: -want +got\n%s", c.got, c.want, diff)
		}
	}
}

// TestMatchOutputIsQuick: many wild cards that almost match do not take exponential time.
func TestMatchOutputIsQuick(t *testing.T) {
	start := time.Now()
	if MatchOutput([]string{strings.Repeat("a...", 2000) + "b"}, strings.Repeat("a", 20000)) == nil {
		t.Error("it fits")
	}
	want := strings.Split(strings.Repeat("a\n...\n", 2000)+"b", "\n")
	if MatchOutput(want, strings.Repeat("a\n", 20000)) == nil {
		t.Error("it fits")
	}
	if d := time.Since(start); d > time.Minute {
		t.Errorf("it took %v", d)
	}
}

// FuzzMatchOutput: any output matches itself, and its beginning followed by "..."; blanks at the ends of its lines
// change nothing.
func FuzzMatchOutput(f *testing.F) {
	for _, c := range [][2]string{{"a\nb", "a\nb\n"}, {"...", "x"}, {"a ... b", "a b"}, {"...\n...a...\n", "\n\na"},
		{"a...b", "ab\r\n"}} {
		f.Add(c[0], c[1])
	}
	f.Fuzz(func(t *testing.T, want, got string) {
		if m := MatchOutput(strings.Split(got, "\n"), got); m != nil {
			t.Errorf("%q does not fit itself: %v", got, m)
		}
		lines := outputLines(strings.Split(got, "\n"))
		for i := range lines {
			if m := MatchOutput(append(lines[:i:i], "..."), got); m != nil {
				t.Errorf("%q does not fit its first %d lines: %v", got, i, m)
			}
		}
		m := MatchOutput(strings.Split(want, "\n"), got)
		padded := MatchOutput(strings.Split(want, "\n"), strings.ReplaceAll(got, "\n", " \t\n"))
		if (m == nil) != (padded == nil) {
			t.Errorf("%q against %q: %v, with blanks at the ends %v", got, want, m, padded)
		}
	})
}
