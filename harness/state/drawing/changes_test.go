package drawing_test

import (
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"testing"

	"netnscheck/harness/state"
	"netnscheck/harness/state/drawing"
)

// TestChangedIsMarked: what state.Diff tells of a change is marked where it is drawn, and nothing else is.
func TestChangedIsMarked(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*sample)
		want   []string // the lines with a mark, without borders and what is beside them
	}{
		"nothing": {func(*sample) {}, nil},
		"a namespace": {func(s *sample) { s.Namespaces = append(s.Namespaces, newSample("new").Namespaces...) },
			[]string{"*new"}},
		"no namespace": {func(s *sample) { s.Namespaces = s.Namespaces[:2] }, nil},
		"an interface": {func(s *sample) { s.link("testns", "vnic-testns.7", "vlan") }, []string{"*vnic-testns.7"}},
		"its state":    {func(s *sample) { s.named("testns", "lo").Up = false }, []string{"*lo"}},
		"an address": {func(s *sample) {
			l := s.named("prodns", "vnix-prodns")
			l.Addresses = append(l.Addresses, state.Address{Prefix: netip.MustParsePrefix("10.0.0.1/8")})
		}, []string{"*vnix-prodns"}},
		"an interface that is gone": {func(s *sample) {
			n := s.Namespace("host")
			n.Links = n.Links[:1]
		}, []string{"*host"}},
		"a default route": {func(s *sample) { s.gateway("prodns", "192.168.2.1", "vnix-prodns") },
			[]string{"*default via 192.168.2.1 dev vnix-prodns"}},
		"the host's name": {func(s *sample) { s.Namespace("host").Links[0].MTU = 9 }, []string{"*lo"}},
		"a rule": {func(s *sample) {
			n := s.Namespace("testns")
			n.Rules = append(n.Rules, state.Rule{Family: 4, Priority: 7, Table: 9})
		}, []string{"*testns"}},
	} {
		t.Run(name, func(t *testing.T) {
			before, after := pairSample(), pairSample()
			c.change(after)
			if name == "no namespace" {
				before.Namespaces, after.Namespaces = before.Namespaces[:3], before.Namespaces[:2]
			}
			told := state.Diff(&before.State, &after.State)
			if name != "nothing" && len(told) == 0 {
				t.Fatal("nothing changed")
			}
			d := drawing.Of(&after.State, drawing.Options{Width: 100, Changed: told})
			text := d.Text()
			got := regexp.MustCompile(`\*([^ ]+( via [^ ]+ dev [^ ]+)?)`).FindAllString(text, -1)
			slices.Sort(got)
			if !slices.Equal(got, c.want) || strings.Contains(text, "* changed last") != (c.want != nil) {
				t.Errorf("told %q, marked %q, want %q\n%s", told, got, c.want, text)
			}
			plain := drawing.Of(&after.State, drawing.Options{Width: 100}).Text()
			if blank := strings.NewReplacer("* changed last", "", "*", " ").Replace(text); trimmed(blank) !=
				trimmed(plain) {
				t.Errorf("the marks change the layout:\n%s\n%s", plain, text)
			}
			looks := regexp.MustCompile(`\x1b\[[0-9;]*m`)
			if painted := looks.ReplaceAllString(d.Painted(), ""); painted != text {
				t.Errorf("colour changes the characters:\n%s", painted)
			}
			if c.want != nil && !strings.Contains(d.Painted(), "\x1b[1;33m*") {
				t.Errorf("no mark has a colour:\n%q", d.Painted())
			}
			if svg := d.SVG(); strings.Contains(svg, ">*<") != (c.want != nil) {
				t.Errorf("the SVG has other marks")
			}
		})
	}
}

// trimmed is a text without blanks at the ends of its lines.
func trimmed(s string) string { return strings.Join(strings.Fields(s), " ") }

// TestChangesOfACrowd: of namespaces that are drawn as one box, the box is marked.
func TestChangesOfACrowd(t *testing.T) {
	s := starSample(50)
	last := s.Namespaces[len(s.Namespaces)-1].Name
	text := drawing.Of(&s.State, drawing.Options{Width: 80, Changed: []string{last + ": lo: MTU 1, then 2"}}).Text()
	if !strings.Contains(text, "*") || strings.Count(text, "*") != 2 {
		t.Errorf("%s\n%s", last, text)
	}
}

// TestStrangeChanges: names may look like a part of a sentence, and sentences may be about nothing that is there.
func TestStrangeChanges(t *testing.T) {
	s := newSample("a", "a: b")
	for sentence, want := range map[string]string{
		"a: b: lo: MTU 1, then 2":      "a: b",
		"a: lo: MTU 1, then 2":         "a",
		"a: b: interface lo appeared":  "a: b",
		"namespace c appeared":         "",
		"c: interface lo appeared":     "",
		"":                             "",
		"a: ":                          "a",
		"namespace a: b appeared":      "a: b",
		"a: b: route default appeared": "a: b",
	} {
		d := drawing.Of(&s.State, drawing.Options{Width: 80, Changed: []string{sentence}})
		got := ""
		for _, b := range d.Boxes {
			if b.Changed || slices.ContainsFunc(b.Lines, func(l drawing.Line) bool { return l.Changed }) {
				got += b.Title
			}
		}
		if got != want {
			t.Errorf("%q marks %q, want %q", sentence, got, want)
		}
	}
}
