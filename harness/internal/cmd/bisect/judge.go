package bisect

import (
	"cmp"
	"context"
	"fmt"
	"path/filepath"
	"slices"

	"netnscheck/harness/internal/cmd/guests"
	"netnscheck/harness/internal/vm/halve"
	"netnscheck/harness/internal/vm/matrix"
	"netnscheck/harness/scenario"
	"netnscheck/harness/term"
	"netnscheck/reports"
)

// theKernel is the name of what is judged beside the cases: that the kernel itself comes to its end.
const theKernel = "the kernel itself"

// said is what one boot of a kernel says of a case.
type said struct {
	outcome scenario.Outcome
	reason  string
	class   string // how the kernel ended; "" of a case
}

// word is what it says in a word.
func (s said) word() string { return cmp.Or(s.class, string(s.outcome)) }

// look is what the boots of a kernel say together, by the names of cases, in the order of the plan.
type look struct {
	names []string
	says  map[string]halve.Verdict
	why   map[string]string // of what is bad or does not tell
	end   string            // why the kernel did not get as far as to tell, "" if it did
}

// boot boots a kernel as often as it takes, and says what they agree on. An error is no fault of the kernel.
func (o *options) boot(ctx context.Context, rig *guests.Rig, kernel string, w *work) (look, error) {
	var all []map[string]said
	var names []string
	for i := range boots {
		row := matrix.Row{Kernel: kernel, Drivers: w.drivers}
		folder := filepath.Join(guests.Folder(o.output, row), fmt.Sprintf("boot-%d", i+1))
		played := rig.Play(ctx, row, w.Work, folder, func(n guests.News) {
			o.going(kernel, fmt.Sprintf("boot %d of %d", i+1, boots), n)
		})
		o.clear()
		if ctx.Err() != nil {
			return look{}, context.Cause(ctx)
		}
		if played.Fault != nil {
			return look{}, played.Fault
		}
		if end := unbooted(&played); end != "" {
			return look{end: end}, nil
		}
		says := map[string]said{}
		names = names[:0]
		for i := range played.Suites {
			s := &played.Suites[i]
			for j := range s.Cases {
				c := &s.Cases[j]
				name := nameOf(s, c)
				names = append(names, name)
				if c.Outcome != scenario.NotRun {
					says[name] = said{outcome: c.Outcome, reason: c.Headline()}
				}
			}
		}
		if o.choice.Case == "" { // one case alone tells, and what keeps it from running leaves it untold
			says[theKernel] = endOf(&played.Guest)
			names = append(names, theKernel)
		}
		all = append(all, says)
		if !tells(says) { // a second boot would not change that
			break
		}
	}
	return agree(names, all), nil
}

// tells reports whether a boot is worth comparing with another: a case passed or failed, or the kernel ended badly.
func tells(says map[string]said) bool {
	for name, s := range says {
		switch s.outcome {
		case scenario.Fail, scenario.Error:
			return true
		case scenario.Pass:
			if name != theKernel {
				return true
			}
		}
	}
	return false
}

// unbooted says that a kernel did not get as far as the harness, whether it panicked, hung or ended, and "" if it did.
func unbooted(p *guests.Played) string {
	if p.Booted {
		return ""
	}
	return fmt.Sprintf("it does not boot: %s: %s", p.Guest.Class, term.OneLine(p.Guest.Words))
}

// endOf is what the end of a guest says of the kernel itself.
func endOf(g *reports.Guest) said {
	if !g.Bad() {
		return said{outcome: scenario.Pass}
	}
	return said{scenario.Fail, g.Class + ": " + term.OneLine(g.Words), g.Class}
}

// nameOf is the name of a case, without the guest.
func nameOf(s *reports.Suite, c *reports.Case) string {
	in := *s
	in.Guest = ""
	return fmt.Sprintf("%s “%s”", in.Name(), c.Name)
}

// agree takes what the boots of a kernel say alike. A case that they do not agree on, that was not run, skipped or
// blocked, does not tell.
func agree(names []string, boots []map[string]said) look {
	l := look{names: slices.Clone(names), says: map[string]halve.Verdict{}, why: map[string]string{}}
	for _, name := range names {
		first, ran := boots[0][name]
		for _, b := range boots[1:] {
			again, too := b[name]
			switch {
			case !ran || !too:
				ran = false
			case again.outcome != first.outcome, again.class != first.class:
				l.why[name] = fmt.Sprintf("flaky: %s, then %s", first.word(), again.word())
			}
		}
		switch {
		case !ran:
			l.why[name] = "it was not run"
		case l.why[name] != "":
		case first.outcome == scenario.Pass:
			l.says[name] = halve.Good
		case first.outcome == scenario.Fail, first.outcome == scenario.Error:
			l.says[name], l.why[name] = halve.Bad, fmt.Sprintf("%s: %s", first.outcome, first.reason)
		default:
			l.why[name] = fmt.Sprintf("%s: %s", first.outcome, first.reason)
		}
	}
	return l
}

// judge is the verdict on a kernel by some of the cases: bad if one is bad, good if all are good.
func (l *look) judge(targets []string) (halve.Verdict, string) {
	if l.end != "" {
		return halve.Untold, l.end
	}
	untold := ""
	for _, name := range targets {
		switch l.says[name] {
		case halve.Bad:
			return halve.Bad, name + ": " + l.why[name]
		case halve.Untold:
			if untold == "" {
				untold = name + ": " + l.why[name]
			}
		}
	}
	if untold != "" || len(targets) == 0 {
		return halve.Untold, untold
	}
	return halve.Good, fmt.Sprintf("%s as on the good one", term.Count(len(targets), "case"))
}

// alone is the verdict on a kernel without another to compare it with: bad if anything is bad, good if something was
// run and nothing is bad. What did not tell is counted.
func (l *look) alone() (halve.Verdict, string) {
	if l.end != "" {
		return halve.Untold, l.end
	}
	good, untold, first := l.good(), 0, ""
	for _, name := range l.names {
		switch l.says[name] {
		case halve.Bad:
			return halve.Bad, name + ": " + l.why[name]
		case halve.Untold:
			if untold++; first == "" {
				first = name + ": " + l.why[name]
			}
		}
	}
	switch {
	case good == 0:
		return halve.Untold, first
	case l.flaky() != "":
		return halve.Untold, l.flaky()
	case untold > 0:
		return halve.Good, fmt.Sprintf("%s passed; %d did not tell, such as %s", term.Count(good, "case"), untold, first)
	}
	return halve.Good, term.Count(good, "case") + " passed"
}

// good counts the cases that are good.
func (l *look) good() (n int) {
	for name, v := range l.says {
		if v == halve.Good && name != theKernel {
			n++
		}
	}
	return n
}

// nothingPlayed tells whether the kernel booted and all cases were skipped or blocked.
func (l *look) nothingPlayed() bool {
	if l.end != "" {
		return false
	}
	for name := range l.says {
		if name != theKernel {
			return false
		}
	}
	return l.says[theKernel] != halve.Bad && l.flaky() == ""
}

// flaky is the first case that the boots do not agree on.
func (l *look) flaky() string {
	for _, name := range l.names {
		if len(l.why[name]) > 6 && l.why[name][:6] == "flaky:" {
			return name + ": " + l.why[name]
		}
	}
	return ""
}
