// Command harness runs the catalogue of scenarios on this machine's kernel, shows it, and checks scenarios that people write.
// This package is the command line: one file for each subcommand, which parses, calls and prints. It may import everything, and
// nothing imports it; what a scenario means and what the kernel does is decided elsewhere.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"netnscheck/harness/internal/cmd/clean"
	"netnscheck/harness/internal/cmd/diagnose"
	"netnscheck/harness/internal/cmd/doctor"
	"netnscheck/harness/internal/cmd/explain"
	"netnscheck/harness/internal/cmd/input"
	"netnscheck/harness/internal/cmd/mapcmd"
	"netnscheck/harness/internal/cmd/screen"
	"netnscheck/harness/internal/cmd/show"
	"netnscheck/harness/internal/cmd/status"
	"netnscheck/harness/internal/cmd/version"
	"netnscheck/harness/internal/inside"
	"netnscheck/harness/internal/kernel"
	"netnscheck/harness/internal/sandbox"
	"netnscheck/harness/internal/worker"
	"netnscheck/harness/nearest"
)

func main() {
	inside.Enter(worker.Role, worker.Keeper, doctor.Features.Role(), mapcmd.StateOfALab.Role())
	ctx, stop := untilSignal()
	defer stop()
	ended := execute(ctx, os.Args[1:])
	sandbox.Done()
	os.Exit(ended)
}

// The exit statuses.
const (
	statusPassed = iota
	statusFailed
	statusUsage
	statusCannot
	statusLeftover
)

// statusCut is for a run that was cut short by something else than its cases: a signal, a limit of time or of the
// machine, a worker that was stopped or killed. It counts as a failure until it has a status of its own.
const statusCut = statusFailed

// exit is an error with its exit status. A nil err has nothing to say: what is wrong was printed already.
type exit struct {
	status int
	err    error
}

func (e *exit) Error() string {
	if e.err == nil {
		return fmt.Sprintf("status %d", e.status)
	}
	return e.err.Error()
}

func (e *exit) Unwrap() error { return e.err }

func usage(format string, args ...any) error {
	return &exit{statusUsage, fmt.Errorf(format, args...)}
}

func cannot(format string, args ...any) error {
	return &exit{statusCannot, fmt.Errorf(format, args...)}
}

// console is where the commands write.
var console = screen.Of(os.Stdout, os.Stderr, os.Getenv)

// execute runs a command line and returns its exit status.
func execute(ctx context.Context, args []string) int {
	root := rootCommand()
	root.SetArgs(args)
	root.SetOut(console.Out)
	root.SetErr(console.Err)
	err := beforeRun(kernel.Room())
	if err == nil {
		err = root.ExecuteContext(ctx)
	}
	if err == nil {
		return statusPassed
	}
	e := &exit{statusFailed, err}
	var of *status.Error
	if !errors.As(err, &e) && errors.As(err, &of) {
		e = &exit{of.Status, of.Cause}
	}
	if e.err != nil {
		fmt.Fprintln(root.ErrOrStderr(), "harness: "+strings.ReplaceAll(err.Error(), "\n", "\nharness: "))
	}
	return e.status
}

func rootCommand() *cobra.Command {
	root := runCommand("harness")
	root.Short = "Prove on this machine's kernel how network namespaces behave"
	root.Long = `Without a subcommand: run the whole catalogue with every driver that this machine has, and the suites written in Go.

Exit status: 0 passed; 1 something failed; 2 wrong usage, a bad file, or nothing is selected;
3 this machine cannot run it; 4 something was left behind.`
	root.Args = noSuchCommand
	root.SilenceErrors = true
	root.SilenceUsage = true
	root.SetFlagErrorFunc(flagError)
	run := runCommand("run [ID | FILE.md | DIR | suites]...")
	run.Short = "Run scenarios and the suites written in Go: those named, or all"
	run.ValidArgsFunction = input.CompleteUnits
	root.AddCommand(run, listCommand(), show.Command(console), scenarioCommand(), mapcmd.Command(console), diagnose.Command(console),
		explain.Command(console), doctor.Command(console), clean.Command(console), version.Command(console))
	return root
}

// noSuchCommand refuses a word where a command is expected, with the nearest thing that it may mean.
func noSuchCommand(c *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	var names []string
	for _, sub := range c.Commands() {
		names = append(names, sub.Name())
	}
	if near, ok := nearest.Word(args[0], names); ok {
		return usage("there is no command %q, did you mean `%s %s`?", args[0], c.CommandPath(), near)
	}
	if c.HasParent() {
		return usage("there is no command %q; `%s --help` shows those that there are", args[0], c.CommandPath())
	}
	return usage("there is no command %q; to run a scenario: `harness run %s`; `harness --help` shows the commands", args[0], args[0])
}

// flagError names the flag that was probably meant.
func flagError(c *cobra.Command, err error) error {
	var unknown *pflag.NotExistError
	if !errors.As(err, &unknown) {
		return usage("%v; `%s --help` shows the flags", err, c.CommandPath())
	}
	var names []string
	c.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
	if near, ok := nearest.Word(unknown.GetSpecifiedName(), names); ok {
		return usage("%v, did you mean --%s?", err, near)
	}
	return usage("%v; `%s --help` shows the flags", err, c.CommandPath())
}

// wantArgs is cobra's check, with the status of wrong usage.
func wantArgs(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if err := check(c, args); err != nil {
			return usage("%v; `%s --help` shows how it is called", err, c.CommandPath())
		}
		return nil
	}
}

// untilSignal is a context that ends with the first signal that asks the harness to stop, and names it. A second one
// ends the process at once, as if nobody had caught it; but not a second SIGHUP, of which the kernel and the shell send
// one each when a terminal goes.
func untilSignal() (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(context.Background())
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	go func() {
		cancel(fmt.Errorf("by %s", kernel.SignalName(<-signals)))
		for s := range signals {
			if s != syscall.SIGHUP {
				signal.Reset(s)
				syscall.Kill(os.Getpid(), s.(syscall.Signal))
			}
		}
	}()
	return ctx, func() { signal.Stop(signals); cancel(nil) }
}
