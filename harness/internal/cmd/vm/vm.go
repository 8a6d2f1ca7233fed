// Package vm is the subcommand that plays scenarios in virtual machines, on any kernel: `harness vm`, with its own
// subcommands for what was fetched. Only the root imports it.
package vm

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"os"
	"runtime"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"netnscheck/harness/internal/cmd/baseline"
	"netnscheck/harness/internal/cmd/guests"
	"netnscheck/harness/internal/cmd/input"
	"netnscheck/harness/internal/cmd/machine"
	"netnscheck/harness/internal/cmd/play"
	"netnscheck/harness/internal/cmd/reporting"
	"netnscheck/harness/internal/cmd/screen"
	"netnscheck/harness/internal/cmd/status"
	"netnscheck/harness/internal/kernel"
	"netnscheck/harness/internal/vm/matrix"
	"netnscheck/harness/internal/vm/programs"
	"netnscheck/harness/lab"
	"netnscheck/harness/nearest"
	"netnscheck/scenarios"
)

type options struct {
	screen    *screen.Screen
	choice    play.Choice
	reporting reporting.Reporting
	baseline  baseline.Baseline
	demands   play.Demands
	again     play.Again
	expect    play.Expectations
	guests    guests.Settings

	kernels    []string
	iproute2   []string
	jobs       int
	compare    bool
	keepFailed bool
	shell      bool
	features   bool
}

// Command is `harness vm`.
func Command(s *screen.Screen) *cobra.Command {
	o := options{screen: s}
	c := &cobra.Command{
		Use:   "vm [ID | FILE.md | DIR | suites]...",
		Short: "Play scenarios in virtual machines, on other kernels",
		Long: `Boots kernels in qemu, plays in each what 'harness run' would play, and reports
over all of them. A kernel is

  5.10, 6.12-cloud, newest     a series of Debian, with its flavour
  debian:sid                   what a suite of Debian has
  6.12.118+deb13-amd64         an exact release
  linux-image-….deb            a package
  ./bzImage                    an image, with --modules FOLDER
  ~/linux                      a tree in which a kernel was built

Packages are fetched from the archive that apt knows, checked, and kept
(XDG_CACHE_HOME); nothing is installed. Without --kernel the matrix of the file
kernels.yaml is played. In emulation a guest has virtual time: waiting costs
nothing, and the load of this machine changes nothing.

A kernel that oopses, warns, panics or hangs fails the run, whatever its cases
say; its console is kept in the output folder.`,
		ValidArgsFunction: input.CompleteUnits,
		RunE: func(c *cobra.Command, args []string) error {
			o.choice.Names = args
			return o.run(c.Context(), c.Flags().Changed)
		},
	}
	flags := c.Flags()
	flags.StringSliceVar(&o.kernels, "kernel", nil,
		"the `KERNELS`, such as 5.10,6.12,newest\n(default: those of kernels.yaml)")
	flags.StringSliceVar(&o.iproute2, "iproute2", nil,
		"play with these `VERSIONS` of iproute2, such as\n6.1,6.15,newest, on each kernel\n"+
			"(default: that of Debian "+programs.DefaultSuite+")")
	o.choice.Flags(c, "all, or those of kernels.yaml")
	o.demands.Flags(c)
	o.again.Flags(c)
	o.expect.Flags(c)
	o.guests.Flags(c)
	flags.IntVar(&o.jobs, "jobs", 0, "run this `NUMBER` of guests side by side\n(default: as processors and memory allow)")
	flags.BoolVar(&o.compare, "compare", false, "tell case by case where kernels differ")
	flags.BoolVar(&o.keepFailed, "keep-failed", false,
		"keep guests in which something failed, and\nprint the command that boots them again")
	flags.BoolVar(&o.shell, "shell", false, "give a prompt in the kernel, with the lab of the\nscenario built")
	flags.BoolVar(&o.features, "features", false, "try the features of kernels, and write\nfeatures.yaml")
	o.reporting.Flags(c)
	o.baseline.Flags(c)
	c.AddCommand(list(s), prune(s))
	return c
}

// ofPlaying are the flags that say what is played, and what is reported of it.
var ofPlaying = []string{"driver", "label-filter", "focus", "case", "seed", "with", "without", "fail-fast",
	"strict-output", "keep-failed", "baseline", "require", "max-skips", "retries", "repeat", "flaky",
	"expect", "report", "junit", "slowest", "quiet", "verbose"}

// check checks what needs no look at the machine, and makes the rows of the matrix.
func (o *options) check(given func(flag string) bool) ([]matrix.Row, error) {
	switch {
	case given("jobs") && o.jobs < 1:
		return nil, status.Usagef("--jobs %d: want at least 1", o.jobs)
	case o.shell && o.features, o.shell && o.compare, o.features && o.compare:
		return nil, status.Usagef("--shell, --features and --compare exclude each other")
	case o.features && given("kernel"):
		return nil, status.Usagef("--features writes a table of the whole matrix: name its kernels in kernels.yaml, " +
			"not with --kernel")
	}
	if i := slices.IndexFunc(ofPlaying, given); i >= 0 && o.shell {
		return nil, status.Usagef("--shell plays nothing, so that --%s has no effect", ofPlaying[i])
	} else if i >= 0 && o.features {
		return nil, status.Usagef("--features plays nothing, so that --%s has no effect", ofPlaying[i])
	}
	for _, name := range o.choice.Names {
		if near, ok := nearest.Word(name, []string{"list", "prune"}); ok && !known(name) {
			return nil, status.Usagef("there is no scenario %q, did you mean `harness vm %s`?", name, near)
		}
	}
	if err := cmp.Or(o.guests.Check(), o.again.Check()); err != nil {
		return nil, err
	}
	if n := o.again.Plays(); n > mostPlays {
		return nil, status.Usagef("play a case %d times in a guest: what it tells of more than %d would not fit", n,
			mostPlays)
	}
	rows, err := o.rows()
	if err != nil {
		return nil, err
	}
	drivers, err := machine.KnownDrivers(o.choice.Drivers)
	if err != nil {
		return nil, err
	}
	for i := range rows {
		if len(o.choice.Drivers) > 0 || len(rows[i].Drivers) == 0 {
			rows[i].Drivers = drivers
		}
	}
	if o.shell && len(rows) != 1 {
		return nil, status.Usagef("--shell needs one kernel, and here are %d: name it with --kernel", len(rows))
	}
	if o.compare && len(rows) < 2 {
		return nil, status.Usagef("--compare needs two kernels, and here is one: name them with --kernel")
	}
	return rows, nil
}

// mostPlays is how often a case may be played in a guest, which tells of all its plays at once (wire.EventSize).
const mostPlays = 8

func known(name string) bool {
	_, err := scenarios.ByID(name)
	_, err2 := os.Stat(name)
	return err == nil || err2 == nil
}

// rows are the guests: those that the flags name, those of kernels.yaml, or the default.
func (o *options) rows() ([]matrix.Row, error) {
	for flag, words := range map[string][]string{"--kernel": o.kernels, "--iproute2": o.iproute2} {
		if i := slices.IndexFunc(words, func(word string) bool { return strings.TrimSpace(word) == "" }); i >= 0 {
			return nil, status.Usagef("%s: a word is missing between the commas", flag)
		}
	}
	if len(o.kernels) > 0 {
		rows := matrix.Cross(o.kernels, o.iproute2)
		return rows, status.With(status.Usage, matrix.Check(rows))
	}
	rows := slices.Clone(matrix.Default)
	text, err := os.ReadFile(matrix.File)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return nil, status.Usagef("read the matrix: %w", err)
	default:
		if rows, err = matrix.Parse(matrix.File, text, lab.DriverNames()); err != nil {
			return nil, status.With(status.Usage, err)
		}
	}
	if len(o.iproute2) > 0 {
		var crossed []matrix.Row
		for _, r := range rows {
			for _, one := range matrix.Cross([]string{r.Kernel}, o.iproute2) {
				one.Drivers = r.Drivers
				crossed = append(crossed, one)
			}
		}
		rows = crossed
	}
	return rows, status.With(status.Usage, matrix.Check(rows))
}

// guestOverhead is the memory that qemu takes beside that of its guest, and usualMemory that of a guest, in bytes.
const (
	guestOverhead = 200 << 20
	usualMemory   = 1 << 30
)

// sideBySide is how many guests run at the same time: one for each processor that they use, as far as memory goes.
func (o *options) sideBySide(rows int) int {
	if o.jobs > 0 {
		return min(o.jobs, rows)
	}
	memory := int64(usualMemory)
	if o.guests.Memory > 0 {
		memory = int64(o.guests.Memory) << 20
	}
	available, ok := kernel.AvailableMemory()
	if !ok {
		available = memory + guestOverhead
	}
	return jobsOn(runtime.NumCPU(), max(1, o.guests.CPUs), available, memory+guestOverhead, rows)
}

// jobsOn is how many guests, of so many processors and bytes, run side by side on a machine.
func jobsOn(cores, of int, available, each int64, rows int) int {
	return max(1, min(cores/of, int(available/each), rows))
}

// run reads everything that the user named, and does what was asked. Nothing runs and nothing is written before all
// input was found valid.
func (o *options) run(ctx context.Context, given func(flag string) bool) error {
	rows, err := o.check(given)
	if err != nil {
		return err
	}
	switch {
	case o.shell:
		return o.runShell(ctx, rows[0])
	case o.features:
		return o.runFeatures(ctx, rows)
	}
	return o.play(ctx, rows)
}
