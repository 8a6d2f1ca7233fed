package play

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"netnscheck/harness/internal/cmd/machine"
	"netnscheck/harness/internal/cmd/status"
	"netnscheck/harness/internal/kernel"
	"netnscheck/harness/internal/program"
	"netnscheck/harness/internal/specrun"
	"netnscheck/harness/lab"
	"netnscheck/harness/nearest"
	"netnscheck/harness/scenario"
	"netnscheck/harness/term"
	"netnscheck/reports"
	"netnscheck/scenarios"
)

// Demands are what a user demands of a run: what this machine has to be able to play, and how much may be skipped. A
// run that does not meet them has the status Cannot, and is no skip for kselftest.
type Demands struct {
	words []string // drivers, features, ids of scenarios, everything
	most  int      // skipped cases; anySkips for any number
}

const (
	everything     = "all"
	programFeature = "program:"
	anySkips       = -1
)

// Flags adds the flags to a command.
func (d *Demands) Flags(c *cobra.Command) {
	flags := c.Flags()
	flags.StringSliceVar(&d.words, "require", nil,
		"fail unless these `WORDS` can be played here: a\ndriver, a feature, an id, or all")
	flags.IntVar(&d.most, "max-skips", anySkips,
		"fail if more than this `NUMBER` of cases is skipped\n(default: any number)")
	flags.Lookup("max-skips").DefValue = "0" // the text has it
	c.RegisterFlagCompletionFunc("require", func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		words := slices.Concat([]string{everything}, lab.DriverNames(), kernel.Words())
		if all, err := scenarios.All(); err == nil {
			for _, sc := range all {
				words = append(words, sc.ID)
			}
		}
		return words, cobra.ShellCompDirectiveNoFileComp
	})
}

// Given tells whether there are any.
func (d *Demands) Given() bool { return len(d.words) > 0 || d.most != anySkips }

// Args are the flags that make the same demands.
func (d *Demands) Args() (args []string) {
	for _, word := range d.words {
		args = append(args, "--require", word)
	}
	if d.most != anySkips {
		args = append(args, "--max-skips", strconv.Itoa(d.most))
	}
	return args
}

// Insist marks the error of a run: where something is demanded, a machine that cannot run it is no reason to skip.
func (d *Demands) Insist(err error) error {
	var e *status.Error
	if d.Given() && errors.As(err, &e) && e.Status == status.Cannot {
		return &status.Error{Status: e.Status, Cause: e.Cause, Demanded: true}
	}
	return err
}

// Check refuses words that mean nothing of what is planned, where drivers, or all if there are none, play it. Its
// errors are those of usage.
func (d *Demands) Check(plan []specrun.Planned, drivers ...string) error {
	if d.most < anySkips {
		return status.Usagef("--max-skips %d: want a number of cases", d.most)
	}
	known := slices.Concat([]string{everything}, lab.DriverNames(), kernel.Words())
	for i := range plan {
		known = append(known, plan[i].Job.Unit)
	}
	for _, word := range d.words {
		name, isProgram := strings.CutPrefix(word, programFeature)
		switch {
		case slices.Contains(lab.DriverNames(), word) &&
			(!playedWith(plan, word) || len(drivers) > 0 && !slices.Contains(drivers, word)):
			return status.Usagef("--require %s: nothing that is chosen is played with this driver", word)
		case slices.Contains(known, word), isProgram && name != "":
		default:
			if _, err := scenarios.ByID(word); err == nil {
				return status.Usagef("--require %s: nothing of this scenario is chosen", word)
			}
			return status.Usagef("--require %q: it is no driver, feature or chosen scenario%s", word,
				nearest.DidYouMean(word, known))
		}
	}
	return nil
}

func playedWith(plan []specrun.Planned, driver string) bool {
	return slices.ContainsFunc(plan, func(p specrun.Planned) bool {
		return slices.ContainsFunc(p.Suites, func(s reports.Suite) bool { return s.Driver == driver })
	})
}

func (d *Demands) wants(words ...string) bool {
	return slices.ContainsFunc(words, func(word string) bool { return slices.Contains(d.words, word) })
}

// Meet finds out what of the demands this machine cannot meet, as far as that is known before anything runs: absent
// drivers, and features.
func (d *Demands) Meet(ctx context.Context, plan []specrun.Planned, leftOut []reports.LeftOut, sandboxed bool) error {
	var unmet, packages []string
	for _, l := range leftOut {
		if d.wants(everything, l.Driver) || d.ofScenarioWith(plan, l.Driver) {
			unmet = append(unmet, l.String())
			packages = append(packages, l.Package)
		}
	}
	features := d.features(plan)
	found, err := machine.Look(ctx, sandboxed, features)
	if err != nil && len(features) > 0 {
		return fmt.Errorf("look for what --require wants: %w", err)
	}
	for _, f := range found {
		if f.Presence == kernel.Present.String() {
			continue
		}
		unmet = append(unmet, f.Name+": "+f.Reason)
		if name, ok := strings.CutPrefix(f.Name, programFeature); ok {
			packages = append(packages, program.Package(name))
		}
	}
	if len(unmet) == 0 {
		return nil
	}
	text := "play what --require wants: " + strings.Join(unmet, "; ")
	if packages = slices.DeleteFunc(packages, func(p string) bool { return p == "" }); len(packages) > 0 {
		text += "; as root: " + program.Install(packages...)
	}
	return status.Cannotf("%s", text)
}

// ofScenarioWith tells whether a scenario is demanded that is planned with a driver.
func (d *Demands) ofScenarioWith(plan []specrun.Planned, driver string) bool {
	return slices.ContainsFunc(plan, func(p specrun.Planned) bool {
		return d.wants(p.Job.Unit) && playedWith([]specrun.Planned{p}, driver)
	})
}

// features are those that are demanded, each once: by their names, and because demanded scenarios require them.
func (d *Demands) features(plan []specrun.Planned) []string {
	all := slices.DeleteFunc(slices.Clone(d.words), func(word string) bool {
		return !strings.HasPrefix(word, programFeature) && !slices.Contains(kernel.Words(), word)
	})
	for i := range plan {
		if sc := plan[i].Job.Scenario; sc != nil && d.wants(everything, sc.ID) {
			all = append(all, sc.Requires...)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// Unmet are the demands that a run did not meet, a sentence for each.
func (d *Demands) Unmet(r *reports.Run) (all []string) {
	for _, word := range d.words {
		if text := d.unmet(r, word); text != "" {
			all = append(all, "--require "+word+": "+text)
		}
	}
	if n := r.Count().Skip; d.most != anySkips && n > d.most {
		all = append(all, fmt.Sprintf("--max-skips %d: %s", d.most, skipped(n)))
	}
	return all
}

// unmet says what of a word was not played because this machine cannot, "" if all was. What no machine can, because a
// driver has no words for it, does not count. Of a driver at least something has to be played.
func (d *Demands) unmet(r *reports.Run, word string) string {
	var first *reports.Case
	lacking, ofDriver := 0, reports.Counts{}
	for i := range r.Suites {
		s := &r.Suites[i]
		if s.Driver == word {
			ofDriver.Add(s.Count())
		}
		if word != everything && word != unitOf(s) {
			continue
		}
		for j := range s.Cases {
			if c := &s.Cases[j]; c.Outcome == scenario.Skip && (s.Driver == "" || len(c.Missing)+len(c.Lacking) > 0) {
				if lacking++; first == nil {
					first = c
				}
			}
		}
	}
	switch {
	case first != nil:
		return fmt.Sprintf("%s, such as “%s”: %s", skipped(lacking), term.Brief(first.Name), term.Brief(first.Reason))
	case ofDriver.Total() > 0 && ofDriver.Skip == ofDriver.Total():
		return skipped(ofDriver.Skip) + ", all of this driver"
	}
	return ""
}

// unitOf is the id by which users select what a suite belongs to.
func unitOf(s *reports.Suite) string {
	if s.Driver == "" {
		return specrun.HandWritten
	}
	return s.ID
}

func skipped(n int) string {
	if n == 1 {
		return "1 case was skipped"
	}
	return fmt.Sprintf("%d cases were skipped", n)
}
