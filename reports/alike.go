package reports

import (
	"slices"
	"strings"

	"netnscheck/harness/term"
)

// Alike is what is said about the same case wherever it was played.
type Alike struct {
	Suite *Suite // of the first place
	Case  *Case
	At    []At
	Said  string
}

// At is where a case was played: by a driver, "" for hand-written suites, and in a guest, "" for this machine.
type At struct{ Driver, Guest string }

// alike collects what is said about the cases of a run, in their order. What is said alike by several drivers, or in
// several guests, is one element. Cases about which "" is said are left out.
func alike(r *Run, say func(*Suite, *Case) string) []Alike {
	type key struct {
		suite, title  string
		step, mistake int
		name, said    string
	}
	var all []Alike
	first := map[key]int{}
	for i := range r.Suites {
		s := &r.Suites[i]
		for j := range s.Cases {
			c := &s.Cases[j]
			said := say(s, c)
			if said == "" {
				continue
			}
			k := key{s.ID, s.Title, c.Step, c.Mistake, "", said}
			if s.Driver == "" {
				k.name = c.Name
			}
			at := At{s.Driver, s.Guest}
			if n, again := first[k]; again {
				all[n].At = append(all[n].At, at)
				continue
			}
			first[k] = len(all)
			all = append(all, Alike{s, c, []At{at}, said})
		}
	}
	return all
}

// played tells where a case was played: `drivers iproute2 and netlink on 5.10 and 6.1; driver busybox on 5.10`; "" for
// a hand-written suite on this machine.
func played(at []At) string {
	type group struct{ drivers, guests []string }
	var groups []group
	for i, a := range at {
		if slices.ContainsFunc(at[:i], func(b At) bool { return b.Driver == a.Driver }) {
			continue // its guests were collected before
		}
		var guests []string
		for _, b := range at[i:] {
			if b.Driver == a.Driver {
				guests = append(guests, b.Guest)
			}
		}
		if n := slices.IndexFunc(groups, func(g group) bool { return slices.Equal(g.guests, guests) }); n >= 0 {
			groups[n].drivers = append(groups[n].drivers, a.Driver)
		} else {
			groups = append(groups, group{[]string{a.Driver}, guests})
		}
	}
	var words []string
	for _, g := range groups {
		var part []string
		if g.drivers[0] != "" {
			driver := "driver "
			if len(g.drivers) > 1 {
				driver = "drivers "
			}
			part = append(part, driver+And(g.drivers))
		}
		if g.guests[0] != "" {
			part = append(part, "on "+And(g.guests))
		}
		words = append(words, strings.Join(part, " "))
	}
	return term.OneLine(strings.Join(words, "; "))
}

// And joins words: `a`, `a and b`, `a, b and c`.
func And(words []string) string {
	if n := len(words); n > 1 {
		return strings.Join(words[:n-1], ", ") + " and " + words[n-1]
	}
	return strings.Join(words, "")
}
