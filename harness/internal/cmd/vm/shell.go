package vm

import (
	"context"
	"fmt"
	"os"

	"netnscheck/harness/internal/cmd/guests"
	"netnscheck/harness/internal/cmd/status"
	"netnscheck/harness/internal/session/terminal"
	"netnscheck/harness/internal/vm/machine"
	"netnscheck/harness/internal/vm/matrix"
	"netnscheck/harness/term"
	"netnscheck/reports"
)

// shellScenario is the lab of a shell for which the user names none.
const shellScenario = "veth-pair"

// runShell boots the kernel of a row with a lab in it, on the user's terminal.
func (o *options) runShell(ctx context.Context, row matrix.Row) error {
	t, err := terminal.Of(os.Stdin, os.Stdout)
	if err != nil {
		return status.Usagef("--shell needs a terminal: %w", err)
	}
	if len(o.choice.Names) == 0 {
		o.choice.Names = []string{shellScenario}
	}
	what, err := o.choice.Read(ctx)
	if err != nil {
		return err
	}
	if len(what.Scenarios) != 1 || what.Suites {
		return status.Usagef("--shell builds one lab: name one scenario")
	}
	rig, err := guests.Open(o.guests, func(text string) { fmt.Fprintln(o.screen.Err, term.Printable(text)) })
	if err != nil {
		return err
	}
	defer rig.Close()
	if err := rig.Ready(ctx, []matrix.Row{row}); err != nil {
		return err
	}
	folder, err := os.MkdirTemp("", "netnscheck-vm-")
	if err != nil {
		return status.Cannotf("make a folder for the guest: %w", err)
	}
	defer os.RemoveAll(folder)
	work := guests.NewWork(&o.choice, what, nil)
	end, err := rig.Shell(ctx, row, work, work.LabArgs(what.Scenarios[0]), folder, t, func(n guests.News) {
		if n.Stage == guests.Booting {
			fmt.Fprintf(o.screen.Err, "%s  boots %s; exit or Ctrl-D ends it\n", term.OneLine(row.Name()), release(n))
		}
	})
	if ctx.Err() != nil {
		return status.With(status.Cut, fmt.Errorf("run the guest %s: interrupted: %w", row.Name(), context.Cause(ctx)))
	}
	return shellEnd(row.Name(), end, err)
}

// shellEnd is the exit status of a guest with a shell as an error: what its kernel did comes before what the shell
// says.
func shellEnd(name string, end machine.End, err error) error {
	how := fmt.Sprintf("%s: %s", end.Class, term.OneLine(end.Words))
	switch class := string(end.Class); {
	case class == "":
		return status.With(status.Cannot, err)
	case class == guests.NotStarted:
		return status.Cannotf("start the guest %s: %s", name, term.OneLine(end.Words))
	case class == guests.NoResult:
		return status.With(status.Cut, fmt.Errorf("the guest %s ended by %s", name, how))
	case class != reports.GuestPassed && class != reports.GuestFailed:
		return fmt.Errorf("the guest %s ended by %s", name, how)
	case err != nil:
		return status.With(status.Cannot, err)
	case end.Status > 0:
		return &status.Error{Status: end.Status}
	case class != reports.GuestPassed:
		return fmt.Errorf("the guest %s ended by %s", name, how)
	}
	return nil
}
