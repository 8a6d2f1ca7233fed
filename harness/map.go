package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"
	xterm "golang.org/x/term"

	"netnscheck/harness/internal/cmd/input"
	"netnscheck/harness/internal/observe"
	"netnscheck/harness/scenario"
	"netnscheck/harness/state"
	"netnscheck/harness/state/drawing"
	"netnscheck/harness/term"
	"netnscheck/reports"
)

// mapFlags are those of the subcommand map.
type mapFlags struct {
	state string
	all   bool
	step  int
	ascii bool
	svg   string
	json  bool
	width int
}

// svgColumns is how wide an SVG is laid out: as wide as a page likes it.
const svgColumns = 120

func mapCommand() *cobra.Command {
	var f mapFlags
	c := &cobra.Command{
		Use:   "map [ID | FILE.md]",
		Short: "Draw the namespaces of this machine, of a saved state or of a scenario's lab",
		Long: `Draws each namespace as a box with its interfaces, their state and addresses and the default routes; veth cables as lines,
bridges as the wide lines that everything on them shares. Namespaces that are alike are drawn as one box.

Without an argument: the namespaces of this machine, which are read and not changed. With a scenario: the lab that its steps
leave, made in the sandbox for the purpose.`,
		Args:              wantArgs(cobra.MaximumNArgs(1)),
		ValidArgsFunction: input.CompleteIDs,
		RunE:              func(c *cobra.Command, args []string) error { return drawMap(c, f, args) },
	}
	flags := c.Flags()
	flags.StringVar(&f.state, "state", "", "draw the state in this file or pipe, which 'harness diagnose --save' wrote")
	flags.BoolVar(&f.all, "all", false, "the namespaces of running processes too, not only those with a name")
	flags.IntVar(&f.step, "step", 0, "of a scenario, the lab after this step (default: after the last)")
	flags.BoolVar(&f.ascii, "ascii", false, "use ASCII characters alone")
	flags.StringVar(&f.svg, "svg", "", "write an SVG file instead of printing text")
	flags.BoolVar(&f.json, "json", false, "print namespaces, interfaces and cables as JSON")
	flags.IntVar(&f.width, "width", 0, "columns of the drawing (default: those of the terminal)")
	return c
}

func (f *mapFlags) check(args []string) error {
	switch {
	case f.state != "" && len(args) > 0:
		return usage("--state %s and the scenario %s exclude each other", f.state, args[0])
	case f.all && (f.state != "" || len(args) > 0):
		return usage("--all is about the namespaces of this machine")
	case f.step != 0 && len(args) == 0:
		return usage("--step is about a scenario: name one")
	case f.svg != "" && f.json:
		return usage("--svg and --json exclude each other")
	case f.width != 0 && f.width < 20:
		return usage("--width %d: a drawing takes 20 columns at least", f.width)
	}
	return nil
}

func drawMap(c *cobra.Command, f mapFlags, args []string) error {
	if err := f.check(args); err != nil {
		return err
	}
	s, err := f.read(c, args)
	if err != nil {
		return err
	}
	o := drawing.Options{Width: f.width, ASCII: f.ascii}
	switch {
	case f.json:
		return term.WriteJSON(c.OutOrStdout(), drawing.TopologyOf(s))
	case f.svg != "":
		if o.Width == 0 {
			o.Width = svgColumns
		}
		if err := reports.WriteFile(f.svg, []byte(drawing.Of(s, o).SVG())); err != nil {
			return &exit{statusUsage, err}
		}
		return nil
	}
	if o.Width == 0 {
		o.Width = terminalColumns()
	}
	_, err = fmt.Fprint(c.OutOrStdout(), drawing.Of(s, o).Text())
	return err
}

func (f *mapFlags) read(c *cobra.Command, args []string) (*state.State, error) {
	switch {
	case f.state != "":
		return input.State(c.Context(), f.state)
	case len(args) > 0:
		sc, err := input.Scenario(c.Context(), args[0])
		if err != nil {
			return nil, err
		}
		steps, err := stepsUpTo(sc, f.step)
		if err != nil {
			return nil, err
		}
		return labState(c.Context(), sc, steps)
	}
	return input.Machine(c.Context(), observe.MachineOptions{All: f.all})
}

// stepsUpTo is how many steps to play: those up to this one, or all.
func stepsUpTo(sc *scenario.Scenario, step int) (int, error) {
	switch {
	case step == 0:
		return len(sc.Steps), nil
	case step < 0 || step > len(sc.Steps):
		return 0, usage("--step %d: %s has %d steps", step, sc.ID, len(sc.Steps))
	}
	return step, nil
}

// terminalColumns is how wide the terminal is. Where the output goes elsewhere, COLUMNS may say how wide it is to be.
func terminalColumns() int {
	if width, _, err := xterm.GetSize(int(os.Stdout.Fd())); err == nil && width > 0 {
		return width
	}
	var width int
	if _, err := fmt.Sscan(os.Getenv("COLUMNS"), &width); err == nil && width > 0 {
		return width
	}
	return 80
}
