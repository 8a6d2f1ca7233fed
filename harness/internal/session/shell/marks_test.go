package shell

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
)

// scan cuts output that comes in these pieces, and writes marks in angle brackets.
func scan(secret string, pieces ...string) string {
	var b strings.Builder
	s := NewScanner(secret)
	for _, piece := range pieces {
		s.Scan([]byte(piece), func(e Event) {
			if e.Text != nil {
				b.Write(e.Text)
			} else {
				fmt.Fprintf(&b, "<%c %q>", e.Kind, e.Value)
			}
		})
	}
	b.Write(s.Rest())
	return b.String()
}

func TestScanner(t *testing.T) {
	long := "\x1b]7377;s;C;" + strings.Repeat("a", maxMark+1) + "\a"
	for name, c := range map[string]struct {
		pieces []string
		want   string
	}{
		"no marks": {[]string{"a\x1b[1mb\x1b]0;title\a"}, "a\x1b[1mb\x1b]0;title\a"},
		"marks": {[]string{"a" + Mark("s", "C", "ip link") + "b" + Mark("s", "D", "1") + Mark("s", "P") + "$ "},
			`a<C "ip link">b<D "1"><P "">$ `},
		"a prompt of sh":   {[]string{Mark("s", "S") + "$ "}, `<S "">$ `},
		"in two pieces":    {[]string{"a\x1b]73", "77;s;D;0\ab"}, `a<D "0">b`},
		"in three pieces":  {[]string{"\x1b", "]7377;s;C;l", "s\ab"}, `<C "ls">b`},
		"another secret":   {[]string{Mark("t", "P")}, Mark("t", "P")},
		"another kind":     {[]string{Mark("s", "X", "1")}, Mark("s", "X", "1")},
		"no value":         {[]string{Mark("s", "C")}, Mark("s", "C")},
		"a value too many": {[]string{Mark("s", "P", "x")}, Mark("s", "P", "x")},
		"a status out of bounds": {[]string{Mark("s", "D", "256"), Mark("s", "D", "-1"), Mark("s", "D", "")},
			Mark("s", "D", "256") + Mark("s", "D", "-1") + Mark("s", "D", "")},
		"a control in it":   {[]string{"\x1b]7377;s;C;a\nb\a"}, "\x1b]7377;s;C;a\nb\a"},
		"escaped":           {[]string{Mark("s", "C", `a\nb\\c\ed\ae\r`)}, `<C "a\nb\\c\x1bd\ae\r">`},
		"empty command":     {[]string{Mark("s", "C", "")}, `<C "">`},
		"never ended":       {[]string{"\x1b]7377;s;C;abc"}, "\x1b]7377;s;C;abc"},
		"one in another":    {[]string{"\x1b]7377;s;C;" + Mark("s", "P") + "x"}, "\x1b]7377;s;C;" + `<P "">x`},
		"without an end":    {[]string{long}, long},
		"an escape at last": {[]string{"abc\x1b"}, "abc\x1b"},
	} {
		if got := scan("s", c.pieces...); got != c.want {
			t.Errorf("%s: got %.300q, want %.300q", name, got, c.want)
		}
	}
}

// FuzzScanner: whatever the output is and however it is cut into pieces, marks are cut out alike and all else stays.
func FuzzScanner(f *testing.F) {
	f.Add([]byte("a"+Mark("s", "C", `l\ns`)+"b"+Mark("s", "D", "0")+Mark("s", "P")), 3)
	f.Add([]byte("\x1b]7377;s;C;\x1b]7377;s;P\a"), 1)
	f.Add([]byte("\x1b]7377;s;C;\x80\xff\a"), 5)
	f.Fuzz(func(t *testing.T, output []byte, at int) {
		at = min(max(at, 0), len(output))
		whole, cut := scan("s", string(output)), scan("s", string(output[:at]), string(output[at:]))
		if whole != cut {
			t.Errorf("whole %q, cut at %d %q", whole, at, cut)
		}
		if !bytes.Contains(output, []byte("\x1b]7377;s;")) && whole != string(output) {
			t.Errorf("%q became %q", output, whole)
		}
	})
}
