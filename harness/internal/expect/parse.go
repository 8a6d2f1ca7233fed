package expect

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"netnscheck/harness/nearest"
	"netnscheck/harness/scenario"
	"netnscheck/harness/strictyaml"
)

// architectures are the names that `uname -m` prints.
var architectures = []string{"aarch64", "armv7l", "i686", "loongarch64", "mips64", "ppc64le", "riscv64", "s390x",
	"x86_64"}

// Parse reads the text of a file of this name. Each error begins with file and line.
func Parse(name string, text []byte) (*File, error) {
	f := &File{Name: name}
	err := strictyaml.Parse(name, text, func(in *strictyaml.Reader, n strictyaml.Node) {
		in.Keys(n, "expectations: [{scenario: veth-pair, reason: why}]", map[string]func(strictyaml.Node){
			"expectations": func(n strictyaml.Node) {
				in.List(n, "a list of entries", func(item strictyaml.Node) {
					f.Entries = append(f.Entries, (&reader{in}).entry(item))
				})
			},
		})
	})
	switch {
	case err != nil:
		return nil, err
	case len(f.Entries) == 0:
		return nil, fmt.Errorf("%s:1: there is no expectation in it", name)
	}
	return f, nil
}

type reader struct{ *strictyaml.Reader }

func (r *reader) entry(n strictyaml.Node) Entry {
	e := Entry{Line: strictyaml.Line(n)}
	// text reads a word into a field.
	text := func(to *string, expected string) func(strictyaml.Node) {
		return func(n strictyaml.Node) { *to = r.Word(n, expected) }
	}
	one := func(to *string, expected string, of []string) func(strictyaml.Node) {
		return func(n strictyaml.Node) {
			*to = r.Word(n, expected)
			if *to != "" && !slices.Contains(of, *to) {
				r.Add(n, "there is no %s %q%s; there are %s", expected[strings.IndexByte(expected, ' ')+1:], *to,
					nearest.DidYouMean(*to, of), strings.Join(of, ", "))
			}
		}
	}
	within := func(subject string) func(strictyaml.Node) {
		return func(n strictyaml.Node) { e.Ranges = append(e.Ranges, r.ranges(n, subject)...) }
	}
	r.Keys(n, "scenario: veth-pair", map[string]func(strictyaml.Node){
		"scenario":     text(&e.Scenario, "the id of a scenario"),
		"step":         text(&e.Step, "the title or the number of a step"),
		"mistake":      text(&e.Mistake, "the title or the number of a mistake"),
		"driver":       one(&e.Driver, "a driver", scenario.DriverNames()),
		"kernel":       within("kernel"),
		"iproute2":     within("iproute2"),
		"architecture": one(&e.Architecture, "an architecture", architectures),
		"reason":       text(&e.Reason, "a reason, in words"),
		"link":         func(n strictyaml.Node) { e.Link = r.link(n) },
		"expires":      func(n strictyaml.Node) { e.Expires = r.date(n) },
	})
	switch {
	case !r.Good():
	case e.Scenario == "":
		r.Add(n, "an entry without the key scenario")
	case e.Reason == "":
		r.Add(n, "an entry without the key reason: why is %s expected to fail?", e.subject())
	case e.Mistake != "" && e.Step == "":
		r.Add(n, "an entry with the key mistake and without the key step")
	}
	return e
}

// bound is one bound of a range of versions.
var bound = regexp.MustCompile(`^(>=|<=|=|>|<)([0-9]+(?:\.[0-9]+)*)$`)

// ranges reads a range of versions, such as >=5.10 <6.2.
func (r *reader) ranges(n strictyaml.Node, subject string) (all []scenario.Condition) {
	const expected = "a range of versions, such as <6.1 or >=5.10 <6.2"
	for _, word := range strings.Fields(r.Word(n, expected)) {
		m := bound.FindStringSubmatch(word)
		if m == nil {
			r.Add(n, "expected %s, found %q", expected, word)
			return nil
		}
		all = append(all, scenario.Condition{Subject: subject, Op: m[1], Value: m[2]})
	}
	return all
}

func (r *reader) link(n strictyaml.Node) string {
	const expected = "the address of a page, such as https://example.org/42"
	word := r.Word(n, expected)
	if u, err := url.Parse(word); word != "" && (err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "") {
		r.Add(n, "expected %s, found %q", expected, word)
	}
	return word
}

func (r *reader) date(n strictyaml.Node) string {
	const expected = "a date, such as 2027-03-31"
	word := r.Word(n, expected)
	if _, err := time.Parse(time.DateOnly, word); word != "" && err != nil {
		r.Add(n, "expected %s, found %q", expected, word)
	}
	return word
}
