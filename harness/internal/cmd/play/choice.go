package play

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"netnscheck/harness/internal/cmd/input"
	"netnscheck/harness/internal/cmd/machine"
	"netnscheck/harness/internal/cmd/status"
	"netnscheck/harness/internal/kernel"
	"netnscheck/harness/internal/specrun"
	"netnscheck/harness/lab"
	"netnscheck/harness/nearest"
	"netnscheck/harness/scenario"
	"netnscheck/reports"
)

// Choice is what of the scenarios and suites to play, and with which drivers, as the flags of a command say it.
type Choice struct {
	Names    []string // empty for everything
	Drivers  []string
	Seed     int64
	FailFast bool
	Values   input.Variables
	// Case is the id of the only case to play, "" for all.
	Case string
	// Taken tells of features whether blocks with= and without= take them for present, whatever the kernel has.
	Taken map[string]bool

	// StrictOutput fails commands that succeed, whose output is not compared, and that print on standard error.
	StrictOutput bool

	with, without []string
	labels, focus string
}

// Flags adds the flags to a command. whose tells which drivers are the default.
func (o *Choice) Flags(c *cobra.Command, whose string) {
	flags := c.Flags()
	flags.StringSliceVar(&o.Drivers, "driver", nil,
		"`DRIVERS` to play with: "+strings.Join(lab.DriverNames(), ", ")+"\n(default: "+whose+")")
	flags.StringVar(&o.labels, "label-filter", "",
		"run only cases whose labels match this `FILTER`,\nsuch as 'netlink && mistake'\n"+
			"(labels: 'harness list --labels')")
	flags.StringVar(&o.focus, "focus", "", "run only cases whose text matches this `REGEXP`")
	flags.StringVar(&o.Case, "case", "",
		"run only this `CASE` of a scenario, such as\nrules.netlink.3 ('harness list --cases' has all)")
	flags.Int64Var(&o.Seed, "seed", 0,
		"shuffle the scenarios with this `NUMBER`\n(default: the order of the course)")
	o.Values.Flags(flags)
	flags.StringSliceVar(&o.with, "with", nil,
		"play blocks with=`FEATURE`, even if it is absent\n('harness doctor' lists features)")
	flags.StringSliceVar(&o.without, "without", nil,
		"play blocks without=`FEATURE`, even if it is there")
	flags.BoolVar(&o.StrictOutput, "strict-output", false,
		"fail a command that succeeds with words on stderr\nthat no block shows (conformance: always)")
	flags.BoolVar(&o.FailFast, "fail-fast", false, "stop after the first failure")
	c.RegisterFlagCompletionFunc("driver",
		cobra.FixedCompletions(lab.DriverNames(), cobra.ShellCompDirectiveNoFileComp))
	for _, flag := range []string{"with", "without"} {
		c.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(kernel.Words(), cobra.ShellCompDirectiveNoFileComp))
	}
	c.RegisterFlagCompletionFunc("label-filter", input.CompleteLabels)
	c.RegisterFlagCompletionFunc("case", input.CompleteCases)
}

// Filter is the filter of the cases. The error is one of usage.
func (o *Choice) Filter() (specrun.Filter, error) {
	f, err := specrun.ParseFilter(o.labels, o.focus)
	f.Case = o.Case
	return f, status.With(status.Usage, err)
}

// Read reads what is chosen, with the values of its variables, and the features that are taken for present or missing.
func (o *Choice) Read(ctx context.Context) (input.Selection, error) {
	if err := o.take(); err != nil {
		return input.Selection{}, err
	}
	o.nameOfCase()
	what, err := input.Selected(ctx, o.Names)
	if err != nil {
		return what, machine.BeforeRun(err)
	}
	if o.Case != "" {
		if err := o.chooseCase(what.Scenarios); err != nil {
			return what, err
		}
	}
	if err := o.depend(what.Scenarios); err != nil {
		return what, err
	}
	what.Scenarios, err = o.Values.Choose(what.Scenarios)
	return what, err
}

// depend refuses a feature on which no block of the scenarios depends: it would change nothing.
func (o *Choice) depend(chosen []*scenario.Scenario) error {
	var all []string
	for _, sc := range chosen {
		all = append(all, sc.Conditional()...)
	}
	slices.Sort(all)
	for _, f := range []struct {
		flag  string
		words []string
	}{{"--with", o.with}, {"--without", o.without}} {
		for _, word := range f.words {
			if slices.Contains(all, word) {
				continue
			}
			others := ""
			if len(all) > 0 {
				others = "; there are blocks for " + reports.And(slices.Compact(all))
			}
			return status.Usagef("%s %s: nothing that is chosen has a block for it%s", f.flag, word, others)
		}
	}
	return nil
}

// take reads --with and --without.
func (o *Choice) take() error {
	for _, f := range []struct {
		flag  string
		words []string
		has   bool
	}{{"--with", o.with, true}, {"--without", o.without, false}} {
		for _, word := range f.words {
			if all := kernel.Words(); !slices.Contains(all, word) {
				return status.Usagef("%s %s: there is no such feature%s", f.flag, word, nearest.DidYouMean(word, all))
			}
			if has, taken := o.Taken[word]; taken && has != f.has {
				return status.Usagef("--with %s contradicts --without %s", word, word)
			}
			o.Take(word, f.has)
		}
	}
	return nil
}

// Take takes a feature for present or missing.
func (o *Choice) Take(feature string, has bool) {
	if o.Taken == nil {
		o.Taken = map[string]bool{}
	}
	o.Taken[feature] = has
}

// TakenWords are the features of Choice.Taken in words: with a, without b.
func TakenWords(taken map[string]bool) string {
	var words []string
	for _, feature := range slices.Sorted(maps.Keys(taken)) {
		words = append(words, map[bool]string{true: "with ", false: "without "}[taken[feature]]+feature)
	}
	return strings.Join(words, ", ")
}

// Args are the flags that make the same choice, except its names and drivers.
func (o *Choice) Args() []string {
	args := o.conditions()
	if o.labels != "" {
		args = append(args, "--label-filter", o.labels)
	}
	if o.focus != "" {
		args = append(args, "--focus", o.focus)
	}
	if o.Case != "" {
		args = append(args, "--case", o.Case)
	}
	if o.Seed != 0 {
		args = append(args, "--seed", strconv.FormatInt(o.Seed, 10))
	}
	if o.FailFast {
		args = append(args, "--fail-fast")
	}
	return args
}

// conditions are the flags that say how a case is played: values of variables, features that are taken for present or
// missing, strictness.
func (o *Choice) conditions() []string {
	args := o.Values.Args()
	if o.StrictOutput {
		args = append(args, "--strict-output")
	}
	for _, feature := range slices.Sorted(maps.Keys(o.Taken)) {
		if o.Taken[feature] {
			args = append(args, "--with", feature)
		} else {
			args = append(args, "--without", feature)
		}
	}
	return args
}

// NothingSelected is the error of a choice without a case.
func (o *Choice) NothingSelected() error {
	var set []string
	for _, s := range []struct{ flag, value string }{{"--label-filter", o.labels}, {"--focus", o.focus},
		{"--case", o.Case}} {
		if s.value != "" {
			set = append(set, fmt.Sprintf("%s %q", s.flag, s.value))
		}
	}
	if len(set) == 0 {
		return status.Usagef("select what to run: the selection has no steps")
	}
	return status.Usagef("select what to run: nothing matches %s", strings.Join(set, " and "))
}
