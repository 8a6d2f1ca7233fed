package reports

import "strings"

// Alike is what one or several drivers say about the same step or mistake.
type Alike struct {
	Suite   *Suite // of the first driver that says it
	Case    *Case
	Drivers []string // nil for hand-written suites
	Said    string
}

// alike collects what is said about the cases of a run, in their order. What several drivers say alike about a step is
// one element. Cases about which "" is said are left out.
func alike(r *Run, say func(*Case) string) []Alike {
	type key struct {
		scenario      string
		step, mistake int
		said          string
	}
	var all []Alike
	at := map[key]int{}
	for i := range r.Suites {
		s := &r.Suites[i]
		for j := range s.Cases {
			c := &s.Cases[j]
			said := say(c)
			if said == "" {
				continue
			}
			k := key{s.ID, c.Step, c.Mistake, said}
			first, again := at[k]
			switch {
			case s.Driver == "": // hand-written
				all = append(all, Alike{Suite: s, Case: c, Said: said})
			case again:
				all[first].Drivers = append(all[first].Drivers, s.Driver)
			default:
				at[k] = len(all)
				all = append(all, Alike{s, c, []string{s.Driver}, said})
			}
		}
	}
	return all
}

// And joins words: `a`, `a and b`, `a, b and c`.
func And(words []string) string {
	if n := len(words); n > 1 {
		return strings.Join(words[:n-1], ", ") + " and " + words[n-1]
	}
	return strings.Join(words, "")
}
