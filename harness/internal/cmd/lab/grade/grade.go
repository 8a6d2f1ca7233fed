// Package grade is `harness lab grade`, which grades what the learners of a class handed in. Only the subcommand lab
// imports it.
package grade

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"time"

	"github.com/spf13/cobra"

	"netnscheck/harness/fault"
	class "netnscheck/harness/grade"
	"netnscheck/harness/internal/cmd/input"
	"netnscheck/harness/internal/cmd/screen"
	"netnscheck/harness/internal/cmd/status"
	"netnscheck/harness/scenario"
	"netnscheck/harness/term"
	"netnscheck/reports"
)

type options struct {
	screen   *screen.Screen
	names    []string
	lab      string
	roster   string
	hintCost int
	limit    time.Duration
	procs    int
	values   input.Variables
	faults   input.Challenge
	csv      string
	json     string
	junit    string
	html     string
}

// Command is `harness lab grade`.
func Command(s *screen.Screen) *cobra.Command {
	o := options{screen: s}
	c := &cobra.Command{
		Use:   "grade DIR|FILE... --lab ID",
		Short: "Grade what a class handed in: progress files and scripts",
		Long: `Does the work of each learner again, in a sandbox of its own, and prints a table
of the class: which steps are done, the points, the first thing that is not
right, and where the class is stuck. Nothing in a file is believed but its
commands, and what help it tells of.

Of a folder it takes the files *.json (progress files) and *.sh (scripts), also
in its subfolders. A file belongs to the learner whose name it has; one that is
called progress.json, solution.sh or script.sh belongs to its folder's.

Exit status:
  0  everything was graded, whatever the marks are
  1  something could not be graded: the table says why
  2  wrong usage, a bad roster, a file of nobody, two files of one learner
  3  this machine cannot run the lab`,
		Args: status.Args(1, status.Any, "the folder or the files that were handed in"),
		RunE: func(c *cobra.Command, args []string) error {
			o.names = args
			return run(c.Context(), o)
		},
	}
	flags := c.Flags()
	flags.StringVar(&o.lab, "lab", "", "the `ID` or the file of the scenario")
	flags.StringVar(&o.roster, "roster", "",
		"a CSV `FILE` of the class with the column name,\nand perhaps seed and file; a learner without\n"+
			"a seed has his name as one")
	flags.IntVar(&o.hintCost, "hint-cost", 0,
		"take so many `POINTS` off those of a step for each\nhint, and each reason in a challenge (default: none)")
	flags.DurationVar(&o.limit, "limit", time.Minute, "the `TIME` for the work of one learner")
	flags.IntVar(&o.procs, "procs", runtime.NumCPU(), "grade this `NUMBER` of learners side by side\n"+
		"(default: one for each processor)")
	flags.Lookup("procs").DefValue = "0" // the text has it
	o.faults.Flags(flags, "grade the search for faults (lab start --challenge)")
	o.values.LabFlags(flags, "this `SEED` for all learners, instead of a roster's")
	flags.StringVar(&o.csv, "csv", "", "write the table to this `FILE`, for a spreadsheet;\n- is standard output")
	flags.StringVar(&o.json, "json", "", "write it as JSON to this `FILE`")
	flags.StringVar(&o.junit, "junit", "", "write it as JUnit XML to this `FILE`")
	flags.StringVar(&o.html, "html", "", "write it as a page to read and print to this `FILE`")
	c.RegisterFlagCompletionFunc("lab", input.CompleteIDs)
	return c
}

func (o *options) check() error {
	switch {
	case o.lab == "":
		return status.Usagef("--lab is missing: the id or the file of the scenario")
	case o.hintCost < 0:
		return status.Usagef("--hint-cost %d: want 0 or more", o.hintCost)
	case o.limit <= 0 || o.limit > time.Hour:
		return status.Usagef("--limit %v: want a time up to 1h", o.limit)
	case o.procs < 1:
		return status.Usagef("--procs %d: want at least 1", o.procs)
	}
	if err := o.faults.Check(); err != nil {
		return err
	}
	return o.checkOutputs()
}

// run reads everything, replays, and then writes. Nothing runs before all input was found valid, and nothing is written
// before everything was graded.
func run(ctx context.Context, o options) error {
	if err := o.check(); err != nil {
		return err
	}
	sc, err := input.Scenario(ctx, o.lab)
	if err != nil {
		return err
	}
	if sc, err = o.values.ChooseOne(sc); err != nil {
		return err
	}
	all, err := input.Interruptible(ctx, "read what was handed in", func() ([]handed, error) { return o.read(sc) })
	if err != nil {
		return err
	}
	of := class.Common(sc, scenarios(all))
	if o.faults.On {
		of = fault.Outline(of, o.faults.Faults)
	}
	c := class.New(of, o.hintCost)
	if err := o.grade(ctx, c, all); err != nil {
		return err
	}
	if err := o.write(c); err != nil {
		return err
	}
	if c.Count(class.Ungraded) > 0 {
		return &status.Error{Status: status.Failed} // the table says why
	}
	return nil
}

// handed is what a learner handed in, read.
type handed struct {
	class.Handed
	work
	// bad is why it cannot be graded; nil if it can.
	bad error
}

// scenarios are those of the learners who handed in what can be graded, with their values.
func scenarios(all []handed) (of []*scenario.Scenario) {
	for _, h := range all {
		if h.bad == nil && h.scenario != nil {
			of = append(of, h.scenario)
		}
	}
	return of
}

// read reads the roster and all files. A file that cannot be graded is no error: the others can.
func (o *options) read(sc *scenario.Scenario) ([]handed, error) {
	files, skipped, err := find(o.names)
	if err != nil {
		return nil, err
	}
	var roster []class.Entry
	if o.roster != "" {
		text, err := readFile(o.roster, class.MaxRoster)
		if err == nil {
			roster, err = class.ParseRoster(o.roster, text)
		} else {
			err = fmt.Errorf("read the roster %s: %w", o.roster, err)
		}
		if err != nil {
			return nil, status.With(status.Usage, err)
		}
	}
	if len(files) == 0 {
		return nil, status.Usagef("grade the class: there is no file *.json or *.sh in what was named")
	}
	whose, err := class.Whose(files, roster)
	if err != nil {
		return nil, status.With(status.Usage, err)
	}
	for _, path := range skipped {
		fmt.Fprintf(o.screen.Err, "harness: %s is left out: it is neither *.json nor *.sh\n", term.OneLine(path))
	}
	all := make([]handed, len(whose))
	for i, h := range whose {
		all[i].Handed = h
		if h.Of != nil {
			all[i].work, all[i].bad = o.workOf(h, sc, roster != nil)
		}
	}
	return all, nil
}

// write prints the table and writes the reports.
func (o *options) write(c *class.Class) error {
	var errs []error
	printed := false
	for _, out := range o.outputs() {
		if out.file == "" {
			continue
		}
		text, err := out.format(c)
		switch {
		case err != nil:
			err = fmt.Errorf("write the table as %s: %w", out.flag, err)
		case out.file == "-":
			printed = true
			_, err = io.WriteString(o.screen.Out, text)
		default:
			err = reports.WriteFile(out.file, []byte(text))
		}
		errs = append(errs, err)
	}
	if !printed {
		var out io.Writer = o.screen.Out
		if o.screen.Colour {
			out = o.screen.Out.Painted()
		}
		_, err := io.WriteString(out, c.Text(class.Look{Width: o.screen.Columns, ASCII: o.screen.ASCII,
			Colour: o.screen.Colour}))
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}
