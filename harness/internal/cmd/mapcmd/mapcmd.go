// Package mapcmd is the subcommand map, which draws namespaces; map is a keyword. Only the root imports it.
package mapcmd

import (
	"cmp"
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"netnscheck/harness/internal/cmd/input"
	"netnscheck/harness/internal/cmd/screen"
	"netnscheck/harness/internal/cmd/status"
	"netnscheck/harness/internal/observe"
	"netnscheck/harness/scenario"
	"netnscheck/harness/state"
	"netnscheck/harness/state/drawing"
	"netnscheck/reports"
)

type options struct {
	screen   *screen.Screen
	scenario string // "" for this machine or a saved state
	state    string
	all      bool
	values   input.Variables
	step     int
	ascii    bool
	svg      string
	json     bool
	width    int
}

// svgColumns is the width for which an SVG is laid out without --width.
const svgColumns = 120

// Command is `harness map`.
func Command(s *screen.Screen) *cobra.Command {
	o := options{screen: s}
	c := &cobra.Command{
		Use:   "map [ID | FILE.md]",
		Short: "Draw namespaces: this machine's, a saved state's or a scenario's",
		Long: `Draws each namespace as a box with its interfaces, their state and addresses,
and the default routes. Lines are veth cables; wide lines are bridges, shared by
everything attached to them. Identical namespaces are drawn as one box.

Without an argument it reads the namespaces of this machine and changes nothing.
With a scenario it draws the lab that the steps leave, made in the sandbox.`,
		Args:              status.Args(0, 1, "the id or the file of one scenario"),
		ValidArgsFunction: input.CompleteIDs,
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) > 0 {
				o.scenario = args[0]
			}
			return run(c.Context(), o)
		},
	}
	flags := c.Flags()
	flags.StringVar(&o.state, "state", "",
		"draw the state in this `FILE` or pipe, written by\n'harness diagnose --save'")
	flags.BoolVar(&o.all, "all", false, "draw unnamed namespaces of running processes, too")
	o.values.Flags(flags)
	flags.IntVar(&o.step, "step", 0, "draw the lab after step `N` of the scenario\n(default: after the last)")
	flags.BoolVar(&o.ascii, "ascii", false, "use ASCII characters only (default in the locale C)")
	flags.StringVar(&o.svg, "svg", "", "write SVG to this `FILE` instead of printing text;\n- is standard output")
	flags.BoolVar(&o.json, "json", false, "print namespaces, interfaces and cables as JSON")
	flags.IntVar(&o.width, "width", 0, "`COLUMNS` of the drawing (default: the terminal's)")
	return c
}

func (o *options) check() error {
	switch {
	case o.state != "" && o.scenario != "":
		return status.Usagef("--state %s and the scenario %s exclude each other", o.state, o.scenario)
	case o.values.Given() && o.scenario == "":
		return status.Usagef("--var and --var-seed need a scenario")
	case o.all && (o.state != "" || o.scenario != ""):
		return status.Usagef("--all applies to the namespaces of this machine only")
	case o.step != 0 && o.scenario == "":
		return status.Usagef("--step applies to a scenario: name one")
	case o.svg != "" && o.json:
		return status.Usagef("--svg and --json exclude each other")
	case o.json && o.ascii:
		return status.Usagef("--json and --ascii exclude each other: JSON is not a drawing")
	case o.width != 0 && o.width < 20:
		return status.Usagef("--width %d: a drawing needs at least 20 columns", o.width)
	}
	return nil
}

func run(ctx context.Context, o options) error {
	if err := o.check(); err != nil {
		return err
	}
	s, err := o.read(ctx)
	if err != nil {
		return err
	}
	switch {
	case o.json:
		return o.screen.Document(1, drawing.TopologyOf(s))
	case o.svg != "":
		svg := drawing.Of(s, drawing.Options{Width: cmp.Or(o.width, svgColumns), ASCII: o.ascii}).SVG()
		if o.svg == "-" {
			_, err := fmt.Fprint(o.screen.Out, svg)
			return err
		}
		return status.With(status.Usage, reports.WriteFile(o.svg, []byte(svg)))
	}
	d := drawing.Of(s, drawing.Options{Width: cmp.Or(o.width, o.screen.Columns), ASCII: o.ascii || o.screen.ASCII})
	_, err = fmt.Fprint(o.screen.Out, d.Text())
	return err
}

// read reads the state to draw.
func (o *options) read(ctx context.Context) (*state.State, error) {
	switch {
	case o.state != "":
		return input.State(ctx, o.state)
	case o.scenario != "":
		sc, err := input.Scenario(ctx, o.scenario)
		if err != nil {
			return nil, err
		}
		if sc, err = o.values.ChooseOne(sc); err != nil {
			return nil, err
		}
		steps, err := stepsUpTo(sc, o.step)
		if err != nil {
			return nil, err
		}
		return labState(ctx, sc, steps)
	}
	return input.Machine(ctx, observe.MachineOptions{All: o.all})
}

// stepsUpTo returns how many steps to play: those up to the given one, all of them for 0.
func stepsUpTo(sc *scenario.Scenario, step int) (int, error) {
	switch {
	case step == 0:
		return len(sc.Steps), nil
	case step < 0 || step > len(sc.Steps):
		return 0, status.Usagef("--step %d: %s has %d steps", step, sc.ID, len(sc.Steps))
	}
	return step, nil
}
