package scenario

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const varied = `---
id: varied
vars:
  colour: [red, blue, "green-{1..3}"]
  net: 10.{1..200}.{0..255}.0/24
  plain: text
  huge: x{0..999999999}{0..999999999}{0..999999999}
---
# T
## S
- [x] namespace ` + "`{{colour}}`" + ` exists
<!-- fail: {{net}} -->
`

func valuesOf(t *testing.T, v Values) map[string]string {
	t.Helper()
	sc, err := ParseWith("t.md", []byte(varied), v)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, v := range sc.Vars {
		got[v.Name] = v.Value
	}
	check := sc.Steps[0].Checks[0]
	if check.Text != "namespace `"+got["colour"]+"` exists" || check.Fail.Text != got["net"] {
		t.Errorf("%q: %+v", got, check)
	}
	return got
}

// TestValues: the default is the first value of a list or range; a seed chooses one of them, always the same; what is
// set is set.
func TestValues(t *testing.T) {
	want := map[string]string{"colour": "red", "net": "10.1.0.0/24", "plain": "text", "huge": "x000"}
	if diff := cmp.Diff(want, valuesOf(t, Values{})); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	// A change of these breaks every lab that was handed out with its seed.
	want = map[string]string{"colour": "blue", "net": "10.6.74.0/24", "plain": "text",
		"huge": "x928527135121766793375003836"}
	if diff := cmp.Diff(want, valuesOf(t, Values{Seed: "bob"})); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	set := map[string]string{"colour": "green-2", "net": "10.200.255.0/24", "plain": "{1..x} anything"}
	got := valuesOf(t, Values{Seed: "bob", Set: set})
	for name, value := range set {
		if got[name] != value {
			t.Errorf("%s is %q, not %q", name, got[name], value)
		}
	}
	if got["huge"] != want["huge"] {
		t.Errorf("a value depends on others: %q", got)
	}
	colours := map[string]int{}
	for i := range 300 {
		got := valuesOf(t, Values{Seed: fmt.Sprint(i)})
		colours[got["colour"]]++
		sc, err := ParseWith("t.md", []byte(varied), Values{Set: got})
		if err != nil || sc.Vars[1].Value != got["net"] {
			t.Fatalf("a value that a seed chose cannot be set: %v", err)
		}
	}
	for _, colour := range []string{"red", "blue", "green-1", "green-2", "green-3"} {
		if colours[colour] < 10 {
			t.Errorf("of 300 seeds %d chose %s", colours[colour], colour)
		}
	}
}

func TestValueProblems(t *testing.T) {
	for name, c := range map[string]struct {
		set  map[string]string
		want string
	}{
		"not in the list": {map[string]string{"colour": "gren-1"},
			`4: set variable colour: expected red or blue or green-{1..3}, found "gren-1"`},
		"nearly": {map[string]string{"colour": "blu"},
			`4: set variable colour: expected red or blue or green-{1..3}, found "blu", did you mean blue?`},
		"out of the range": {map[string]string{"net": "10.201.0.0/24"},
			"5: set variable net: expected 10.{1..200}.{0..255}.0/24, found"},
		"below the range":    {map[string]string{"net": "10.0.0.0/24"}, "5: set variable net"},
		"a zero in front":    {map[string]string{"net": "10.1.01.0/24"}, "5: set variable net"},
		"the pattern itself": {map[string]string{"net": "10.{1..200}.{0..255}.0/24"}, "5: set variable net"},
		"two lines":          {map[string]string{"plain": "a\nb"}, "6: set variable plain: expected one line of text"},
		"a zero byte": {map[string]string{"plain": "a\x00b"},
			"6: set variable plain: expected one line of text"},
		"not UTF-8": {map[string]string{"plain": "a\xff"}, "6: set variable plain: expected one line of text"},
		"unknown": {map[string]string{"nett": "1"},
			"1: set variable nett: the front matter has no such variable, did you mean net?"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := ParseWith("t.md", []byte(varied), Values{Set: c.set})
			compareProblems(t, err, "t.md", []string{c.want})
		})
	}
}

// TestReviewOfValues: other values than the defaults have to fit where they are used.
func TestReviewOfValues(t *testing.T) {
	sc, err := Parse("t.md", []byte("---\nvars:\n  address: [10.0.0.1/8, 10.0.0.2]\n  mtu: '{1..9}00000000'\n---\n# "+
		"T\n## S\n"+
		"- [x] `a` in `host` has the address `{{address}}`\n- [x] `a` in `host` has the MTU `{{mtu}}0`\n"))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, p := range Review(sc) {
		got = append(got, fmt.Sprintf("%d: %.40s", p.Line, p.Message))
	}
	if len(got) != 2 || !strings.HasPrefix(got[0], "8: with address=10.0.0.2: check") ||
		!strings.HasPrefix(got[1], "9: with mtu=900000000: check") {
		t.Errorf("%q", got)
	}
}

// FuzzPattern: a pattern is told, or has the values that it says: the first, the last and any between match, and what
// matches has them.
func FuzzPattern(f *testing.F) {
	for _, s := range []string{"10.{1..200}.0.0/24", "{0..9}{0..9}", "{1..10}{1..10}5", "a{b}c", "{01..2}", "{..}",
		"x{1..2}y{3..1}",
		"{0..999999999}", "{{1..2}}", ""} {
		f.Add(s, uint64(7))
	}
	f.Fuzz(func(t *testing.T, text string, random uint64) {
		p, err := parsePattern(text)
		if err != nil {
			if !isPattern(text) || !strings.Contains(err.Error(), "a range is written {1..200}") {
				t.Errorf("%q: %v", text, err)
			}
			return
		}
		if !isPattern(text) {
			if p.first() != text || !p.matches(text) || p.matches(text+"x") {
				t.Errorf("%q is a plain value", text)
			}
			return
		}
		last := p.value(func(r numbers) uint64 { return r.high })
		any := p.value(func(r numbers) uint64 { return r.low + random%(r.high-r.low+1) })
		for _, value := range []string{p.first(), any, last} {
			if !p.matches(value) {
				t.Errorf("%q does not match its value %q", text, value)
			}
		}
		for _, other := range []string{text, last + "0"} { // they are longer than any value
			if p.matches(other) {
				t.Errorf("%q matches %q", text, other)
			}
		}
	})
}
