// Package check is the subcommand that reads, reviews and plays scenarios and reports their problems. Only the group
// scenario imports it.
package check

import (
	"bufio"
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"netnscheck/harness/internal/cmd/input"
	"netnscheck/harness/internal/cmd/machine"
	"netnscheck/harness/internal/cmd/play"
	"netnscheck/harness/internal/cmd/screen"
	"netnscheck/harness/internal/cmd/status"
	"netnscheck/harness/scenario"
	"netnscheck/reports"
)

type options struct {
	screen  *screen.Screen
	names   []string
	sandbox string
	values  input.Variables
}

// Command is `harness scenario check`.
func Command(s *screen.Screen) *cobra.Command {
	o := options{screen: s}
	c := &cobra.Command{
		Use:   "check FILE | DIR...",
		Short: "Read, review and play scenarios; name what is wrong as FILE:LINE",
		Long: `Names all faults of the text at once, such as a check that is none, a step with
commands but no check, or a hint that has the solution. Then it plays the
scenario with each driver that this machine has: each check has to be false
before its step, if its box is empty, and true after it; what is printed and the
exit status have to be as written; each mistake has to do what its checks say,
and its fix has to repair it. Of a text with faults it plays the steps above the
first one. What several drivers say is said once.

Exit status:
  0  everything is right
  1  something is not true
  2  a text has faults
  3  this machine cannot play it
  4  something was left behind`,
		Args: status.Args(1, status.Any, "the file of a scenario or a folder"),
		RunE: func(c *cobra.Command, names []string) error {
			o.names = names
			return run(c.Context(), o)
		},
	}
	o.values.Flags(c.Flags())
	c.Flags().StringVar(&o.sandbox, "sandbox", "auto", "`MODE` auto, on or off")
	return c
}

// File checks one file.
func File(ctx context.Context, s *screen.Screen, file string) error {
	return run(ctx, options{screen: s, names: []string{file}, sandbox: "auto"})
}

// run reports the faults of all texts, then plays each file as far as it can be read. The status is that of the worst.
func run(ctx context.Context, o options) error {
	if err := machine.CheckSandboxMode(o.sandbox); err != nil {
		return err
	}
	files, err := input.Files(ctx, o.names)
	if err != nil {
		return err
	}
	c := &checker{options: o, out: bufio.NewWriter(o.screen.Out)}
	var drafts []*scenario.Draft
	for _, file := range files {
		draft, err := c.read(ctx, file)
		if err != nil {
			return err
		}
		drafts = append(drafts, draft)
	}
	if err := c.choose(drafts); err != nil {
		return err
	}
	for i, file := range files {
		if drafts[i] == nil {
			continue
		}
		err := c.play(ctx, file, drafts[i])
		if flushed := c.out.Flush(); flushed != nil {
			return fmt.Errorf("print the problems: %w", flushed)
		}
		if err != nil {
			return err
		}
	}
	if len(files) > 1 {
		fmt.Fprintf(o.screen.Out, "%d files: %d good, %d not\n", len(files), c.good, len(files)-c.good)
	}
	return c.worst
}

type checker struct {
	options
	out    *bufio.Writer
	drafts input.Drafts
	box    *bool // whether the labs are made in a sandbox; nil before the first is played
	good   int   // files
	worst  error // nil while all files are good
}

// read reports the faults of a text. The draft is nil if there is nothing else to tell about the file. The error is an
// interruption, or that of the output.
func (c *checker) read(ctx context.Context, file string) (*scenario.Draft, error) {
	draft, err := c.drafts.Read(ctx, file)
	switch {
	case err != nil && ctx.Err() != nil:
		return nil, err
	case err != nil:
		fmt.Fprintln(c.out, err)
		c.record(err)
	case len(draft.Problems) > 0:
		c.record(&status.Error{Status: status.Usage})
	}
	for _, p := range draft.Problems {
		c.line(p.String())
	}
	if err := c.out.Flush(); err != nil {
		return nil, fmt.Errorf("print the problems: %w", err)
	}
	if draft.Scenario == nil {
		return nil, nil
	}
	return &draft, nil
}

// choose gives the variables the values of the command line, and reports what is wrong with these alone.
func (c *checker) choose(drafts []*scenario.Draft) error {
	if !c.values.Given() {
		return nil
	}
	var scs []*scenario.Scenario
	for _, draft := range drafts {
		if draft != nil {
			scs = append(scs, draft.Scenario)
		}
	}
	of, err := c.values.For(scs)
	if err != nil {
		return err
	}
	var varied []*scenario.Scenario
	for _, draft := range drafts {
		if draft == nil || len(draft.Scenario.Vars) == 0 {
			continue
		}
		chosen, found := input.With(*draft, of(draft.Scenario))
		for _, p := range found {
			c.line(p.String())
			c.record(&status.Error{Status: status.Usage})
		}
		*draft = chosen
		varied = append(varied, chosen.Scenario)
	}
	for _, line := range c.values.Told(varied) {
		fmt.Fprintln(c.screen.Err, line)
	}
	return c.out.Flush()
}

// play plays a scenario and reports its problems. The error ends the whole check.
func (c *checker) play(ctx context.Context, file string, draft *scenario.Draft) error {
	if len(draft.Scenario.Steps) == 0 {
		fmt.Fprintf(c.out, "%s: %s; not played\n", file, textProblems(draft))
		return nil
	}
	r, ending, err := c.session(ctx, draft.Scenario)
	if err == nil && ending.Unable != nil {
		err = play.Verdict(r, ending, nil)
	}
	switch {
	case err != nil && c.worst == nil:
		return err
	case err != nil: // more is wrong than that this machine cannot play it
		fmt.Fprintf(c.out, "%s: not played: %v\n", file, err)
		return c.worst
	}
	c.print(file, draft, r)
	verdict := play.Verdict(r, ending, nil)
	if verdict == nil && len(draft.Problems) == 0 {
		c.good++
	}
	c.record(verdict)
	if ending.Cut {
		return c.worst
	}
	return nil
}

// record notes the status of a file if it is worse than those before: something left behind is the worst, then a bad
// text, then an interruption, then a failure. That this machine cannot play a file says nothing about it.
func (c *checker) record(err error) {
	rank := map[int]int{status.Passed: 0, status.Cannot: 1, status.Failed: 2, status.Cut: 3, status.Usage: 4,
		status.Leftover: 5}
	last, _ := status.Of(c.worst)
	now, _ := status.Of(err)
	switch {
	case rank[now] <= rank[last]:
	case now == status.Cannot:
		c.worst = err
	default:
		c.worst = &status.Error{Status: now} // what is wrong has been printed
	}
}

// session plays a scenario with every driver that this machine has.
func (c *checker) session(ctx context.Context, sc *scenario.Scenario) (*reports.Run, play.Ending, error) {
	var sandbox func() (bool, string, error)
	if c.box == nil {
		sandbox = machine.TrySandbox(c.sandbox)
	}
	settings := play.Settings{Procs: 1}
	plan, leftOut, err := play.PlanHere(input.Selection{Scenarios: []*scenario.Scenario{sc}}, settings)
	if err != nil {
		return nil, play.Ending{}, err
	}
	if c.box == nil {
		sandboxed, remark, err := sandbox()
		if err != nil {
			return nil, play.Ending{}, err
		}
		if remark != "" {
			fmt.Fprintln(c.screen.Err, remark)
		}
		c.box = &sandboxed
	}
	told := reports.Told(&reports.Console{Out: io.Discard, Options: reports.Options{Progress: c.screen.Progress}})
	s := play.Session{Settings: settings, Plan: plan, LeftOut: leftOut, Sandboxed: *c.box, Told: told}
	r, ending := s.Run(ctx)
	told.Say("")
	return r, ending, nil
}
