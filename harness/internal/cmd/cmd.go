// Package cmd is the command line: the root command and, in a folder for each, the subcommands, which parse, call and
// print. It never decides what a scenario means or what the kernel did. It may import everything; only main imports it.
package cmd

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"netnscheck/harness/internal/cmd/bisect"
	"netnscheck/harness/internal/cmd/clean"
	"netnscheck/harness/internal/cmd/compare"
	"netnscheck/harness/internal/cmd/diagnose"
	"netnscheck/harness/internal/cmd/doctor"
	"netnscheck/harness/internal/cmd/explain"
	"netnscheck/harness/internal/cmd/lab"
	"netnscheck/harness/internal/cmd/list"
	"netnscheck/harness/internal/cmd/machine"
	"netnscheck/harness/internal/cmd/mapcmd"
	"netnscheck/harness/internal/cmd/report"
	"netnscheck/harness/internal/cmd/reporting"
	"netnscheck/harness/internal/cmd/run"
	"netnscheck/harness/internal/cmd/scenario"
	"netnscheck/harness/internal/cmd/scenario/record"
	"netnscheck/harness/internal/cmd/screen"
	"netnscheck/harness/internal/cmd/show"
	"netnscheck/harness/internal/cmd/status"
	"netnscheck/harness/internal/cmd/version"
	"netnscheck/harness/internal/cmd/vm"
	"netnscheck/harness/internal/inside"
	"netnscheck/harness/internal/kernel"
	"netnscheck/harness/internal/replay"
	"netnscheck/harness/internal/sandbox"
	"netnscheck/harness/internal/session"
	"netnscheck/harness/internal/worker"
)

// Roles are the roles, other than the command line, in which this program starts itself.
func Roles() []inside.Role {
	return []inside.Role{worker.Role, worker.Keeper, machine.Features.Role(), machine.PaceInside.Role(),
		mapcmd.StateOfALab.Role(),
		session.Role, replay.Question.Role(), record.Role}
}

// Main runs a command line, with the name of the program first, and returns its exit status. In a lab the program is
// also called lab and sudo.
func Main(argv []string) int {
	args := argv[1:]
	switch filepath.Base(argv[0]) {
	case "lab":
		args = append([]string{"lab"}, args...)
	case "sudo":
		return lab.Sudo(args)
	}
	ctx, stop := untilSignal()
	defer stop()
	defer sandbox.Done()
	s := screen.Of(os.Stdout, os.Stderr, os.Getenv)
	s.Program = screen.Called(argv[0])
	return execute(ctx, s, args)
}

func execute(ctx context.Context, s *screen.Screen, args []string) int {
	root := Root(s)
	root.SetArgs(args)
	refused := strictHelp(root)
	ran, err := root, machine.BeforeRun(kernel.Room())
	if err == nil {
		ran, err = root.ExecuteContextC(ctx)
	}
	if err == nil {
		err = refused()
	}
	if _, silent := status.Of(err); !silent {
		fmt.Fprintln(s.Err, "harness: "+strings.ReplaceAll(err.Error(), "\n", "\nharness: "))
	}
	return status.In(reporting.ExitCodes(ran), err)
}

// Root is `harness` with its subcommands. Without a subcommand it runs everything.
func Root(s *screen.Screen) *cobra.Command {
	root := run.Bare(s)
	root.Short = "Prove on this machine's kernel how network namespaces behave"
	root.Long = `Without a subcommand it runs the whole catalogue, with every driver that this
machine has, and the suites written in Go.

Exit status:
` + meanings()
	root.Args = status.NoSuchCommand
	root.SilenceErrors = true
	root.SilenceUsage = true
	root.SetFlagErrorFunc(status.FlagError)
	root.SetOut(s.Out)
	root.SetErr(s.Err)
	root.AddCommand(
		run.Command(s), lab.Command(s), list.Command(s), show.Command(s), scenario.Command(s), mapcmd.Command(s),
		diagnose.Command(s), explain.Command(s), doctor.Command(s), vm.Command(s), bisect.Command(s),
		compare.Command(s), report.Command(s), clean.Command(s), version.Command(s),
	)
	return root
}

// meanings are the exit statuses, one a line.
func meanings() string {
	lines := make([]string, len(status.Meanings))
	for i, meaning := range status.Meanings {
		lines[i] = fmt.Sprintf("  %d  %s", i, meaning)
	}
	return strings.Join(lines, "\n")
}
