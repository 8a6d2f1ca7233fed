// Package bisect is the subcommand that finds the kernel in which a scenario began to fail: among the packaged ones, or
// as the helper of `git bisect run` in a source tree. Only the root imports it.
package bisect

import (
	"context"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"netnscheck/harness/internal/cmd/guests"
	"netnscheck/harness/internal/cmd/input"
	"netnscheck/harness/internal/cmd/machine"
	"netnscheck/harness/internal/cmd/play"
	"netnscheck/harness/internal/cmd/screen"
	"netnscheck/harness/internal/cmd/status"
	"netnscheck/harness/internal/specrun"
)

type options struct {
	screen    *screen.Screen
	choice    play.Choice
	guests    guests.Settings
	scenarios []string
	good, bad string
	kernel    string
	output    string
}

// The exit statuses for `git bisect run`, beside 0 for good and 1 for bad: 125 skips the commit, and git stops at 255.
// Any other status below 128 would be taken for bad, whatever it means.
const (
	cannotTell = 125
	stop       = 255
)

// boots is how many guests of a kernel have to agree: what differs between them is flaky, and says nothing.
const boots = 2

// Command is `harness bisect`.
func Command(s *screen.Screen) *cobra.Command {
	o := options{screen: s}
	c := &cobra.Command{
		Use:   "bisect",
		Short: "Find the kernel in which a scenario began to fail",
		Long: `Finds the kernel in which a scenario began to fail, in virtual machines.

  harness bisect --good 7.1 --bad 7.2 --scenario rules

looks among the packaged kernels between the two, tries both of them first, and
names the last good and the first bad one.

  git bisect run harness bisect --kernel . --scenario rules \
    --with first-rule-deleted

says of the commit that is checked out whether it is good (exit status 0) or bad
(1). It builds the tree with its .config. It skips a commit (125) that does not
build or boot, or does not tell. Where its command line or this machine is at
fault it makes git stop (255): any other status would be taken for bad.

If the ends do not differ, blocks with= and without= a feature are played on
each kernel as on the good one: what a scenario says of kernels with the feature
and of those without it is true at both ends, and shows no change of it. For
'git bisect run' give --with or --without. Blocks by version, and requires,
follow each kernel.

Each kernel boots twice, and a case counts only if both agree. One that is
skipped, blocked or flaky is taken for neither good nor bad. A kernel on which
nothing could be played boots once. Kernels whose modules are gone from the
archive come last: when nothing can be played on one, the others are not tried.`,
		Args: status.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return o.run(c.Context()) },
	}
	flags := c.Flags()
	flags.StringVar(&o.good, "good", "", "a `KERNEL` that is good, as for 'harness vm'")
	flags.StringVar(&o.bad, "bad", "", "a newer `KERNEL` that is bad")
	flags.StringVar(&o.kernel, "kernel", "", "judge this one `KERNEL` for 'git bisect run':\na source tree is built first")
	flags.StringSliceVar(&o.scenarios, "scenario", nil, "the `SCENARIOS` that tell, ids or files")
	o.choice.Flags(c, "all")
	o.guests.Flags(c)
	flags.StringVar(&o.output, "output", "results", "`FOLDER` for the evidence")
	c.RegisterFlagCompletionFunc("scenario", input.CompleteIDs)
	c.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		err = status.FlagError(c, err)
		if forGit(os.Args) {
			return status.With(stop, err)
		}
		return err
	})
	return c
}

// forGit reports whether a command line that could not be read is that of a helper of `git bisect run`.
func forGit(args []string) bool {
	return slices.ContainsFunc(args, func(a string) bool { return a == "--kernel" || strings.HasPrefix(a, "--kernel=") })
}

func (o *options) run(ctx context.Context) error {
	if o.kernel != "" {
		return o.helper(ctx)
	}
	work, err := o.plan(ctx)
	if err != nil {
		return err
	}
	return o.packaged(ctx, work)
}

// plan reads everything that the user named.
func (o *options) plan(ctx context.Context) (*work, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	o.choice.Names = o.scenarios
	filter, err := o.choice.Filter()
	if err != nil {
		return nil, err
	}
	what, err := o.choice.Read(ctx)
	if err != nil {
		return nil, err
	}
	drivers, err := machine.KnownDrivers(o.choice.Drivers)
	if err != nil {
		return nil, err
	}
	plan, err := play.PlanWith(what, play.Settings{Filter: filter, Seed: o.choice.Seed}, drivers)
	if err != nil {
		return nil, err
	}
	if len(plan) == 0 {
		return nil, o.choice.NothingSelected()
	}
	return &work{guests.NewWork(&o.choice, what, plan), what, plan, drivers}, nil
}

// work is what tells good from bad.
type work struct {
	*guests.Work
	what    input.Selection
	plan    []specrun.Planned
	drivers []string
}

func (o *options) check() error {
	switch {
	case o.kernel != "" && (o.good != "" || o.bad != ""):
		return status.Usagef("--kernel judges one kernel; --good and --bad search between two: give either")
	case o.kernel == "" && (o.good == "" || o.bad == ""):
		return status.Usagef("name the kernels: --good and --bad, or --kernel for `git bisect run`")
	case len(o.scenarios) == 0 && o.choice.Case == "":
		return status.Usagef("--scenario or --case is missing: what tells good from bad?")
	case o.kernel == "" && o.guests.Modules != "":
		return status.Usagef("--modules is of a kernel in a file: --good and --bad are packaged and have their own")
	case o.choice.FailFast:
		return status.Usagef("--fail-fast: all cases have to tell")
	}
	return o.guests.Check()
}
