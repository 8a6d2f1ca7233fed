// Package record is the subcommand that records a scenario: what an author types is run in a lab, and what happens is
// written as Markdown. Only the group scenario imports it, and the root its role.
package record

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"netnscheck/harness/internal/cmd/input"
	session "netnscheck/harness/internal/cmd/lab/start"
	"netnscheck/harness/internal/cmd/scenario/check"
	"netnscheck/harness/internal/cmd/scenario/newfile"
	"netnscheck/harness/internal/cmd/screen"
	"netnscheck/harness/internal/cmd/status"
	"netnscheck/harness/internal/program"
	"netnscheck/harness/internal/session/terminal"
	"netnscheck/harness/internal/session/wire"
	"netnscheck/harness/recording"
	"netnscheck/harness/scenario"
)

type options struct {
	screen *screen.Screen
	file   string
	from   string
}

// Command is `harness scenario record`.
func Command(s *screen.Screen) *cobra.Command {
	o := options{screen: s}
	c := &cobra.Command{
		Use:   "record FILE.md",
		Short: "Record a scenario: type commands in a lab, get the Markdown",
		Long: `Gives you your shell in a lab, or runs each line of standard input there, and
writes FILE.md: the commands with what they printed ("..." for what differs from
run to run), and checks for what each step has made true. Then it checks the
file as 'harness scenario check' does.

  # step: TITLE     begins a step; what stands before the first is the set-up
  # mistake: TITLE  begins a mistake at this step, in a lab of its own in the
                    state before the step
  # fix             begins its fix; without one, the step's commands repair it
  exit              ends the recording, as the end of the input does

Commands are those of a scenario, which no shell runs: a line that needs one is
written as sh -c '...'. Where your shell is neither bash nor zsh, and in lines
of standard input, write that yourself.`,
		Args:              status.Args(1, 1, "the name of the file to write"),
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(c *cobra.Command, args []string) error {
			o.file = args[0]
			return run(c.Context(), o)
		},
	}
	c.Flags().StringVar(&o.from, "from", "", "begin in the starting state of this scenario, `ID|FILE`:\nits host and "+
		"its set-up (default: a host with lo)")
	c.RegisterFlagCompletionFunc("from", input.CompleteIDs)
	return c
}

func run(ctx context.Context, o options) error {
	id, ok := strings.CutSuffix(filepath.Base(o.file), ".md")
	if err := scenario.CheckID(id); err != nil || !ok {
		return status.Usagef("record %s: the name of the file is an id with .md, such as my-lab.md", o.file)
	}
	if err := newfile.Free(o.file); err != nil {
		return err
	}
	from := &scenario.Scenario{ID: id}
	var given *scenario.Scenario
	if o.from != "" {
		var err error
		if given, err = input.Scenario(ctx, o.from); err != nil {
			return err
		}
		from = given
	}
	r, err := o.recording(ctx, id, from)
	if err != nil {
		return err
	}
	r.Title, r.From = recording.TitleOf(id), given
	if err := newfile.Write(o.file, r.Markdown()); err != nil {
		return err
	}
	fmt.Fprintf(o.screen.Out, "wrote %s\n", o.file)
	return check.File(ctx, o.screen, o.file)
}

// recording records what the author types: in his own shell if there is one, else line by line.
func (o options) recording(ctx context.Context, id string, from *scenario.Scenario) (*recording.Recording, error) {
	tty, none := terminal.Of(os.Stdin, os.Stdout)
	var open *wire.Open
	if none == nil {
		shell, err := session.Open(o.screen, tty, "")
		if err != nil {
			return nil, err
		}
		if _, missing := program.LookPath(shell.Shell); missing == nil && shell.Shell != "sh" { // sh tells nothing
			open = &shell
		}
	}
	if none == nil {
		fmt.Fprintf(o.screen.Out, "%s%s.\n", welcome, o.file)
	}
	recorder, err := start(ctx, from, open)
	if err != nil {
		return nil, err
	}
	var r *recording.Recording
	if open != nil {
		r, err = recorder.attend(tty, o.file)
	} else {
		a := &author{screen: o.screen, id: id, file: o.file, lines: bufio.NewReader(os.Stdin), terminal: none == nil}
		r, err = a.record(ctx, recorder)
	}
	return r, errors.Join(err, recorder.end(ctx))
}

// welcome is said at a terminal, with the name of the file behind it.
const welcome = "# step: TITLE begins a step, # mistake: TITLE a mistake at it, # fix its fix;\n" +
	"exit ends the recording and writes "

// author reads what an author types, at a terminal or in a script.
type author struct {
	screen   *screen.Screen
	id, file string
	lines    *bufio.Reader
	terminal bool
	at       string // where he is, for the prompt
	line     int    // of the input
}

// record takes all lines. A script ends with the first line that is wrong; at a terminal the author tries again.
func (a *author) record(ctx context.Context, r *recorder) (*recording.Recording, error) {
	a.at = "set-up"
	for {
		text, err := a.next(ctx)
		ended := errors.Is(err, io.EOF)
		if err != nil && !ended {
			return nil, err
		}
		var done *recording.Recording
		if ended || strings.TrimSpace(text) == "exit" {
			done, err = r.finish()
		} else {
			err = a.take(r, text)
		}
		wrong := (*refused)(nil)
		switch {
		case err == nil && done != nil:
			return done, nil
		case err == nil:
		case !errors.As(err, &wrong):
			return nil, err
		case a.terminal && !ended:
			fmt.Fprintln(a.screen.Err, err)
		case wrong.lacks:
			return nil, status.Cannotf("standard input:%d: %w; nothing is written", a.line, err)
		default:
			return nil, status.Usagef("standard input:%d: %w; nothing is written", a.line, err)
		}
	}
}

// next is the next line; io.EOF at the end.
func (a *author) next(ctx context.Context) (string, error) {
	if a.terminal {
		fmt.Fprintf(a.screen.Out, "[%s: %s] $ ", a.id, a.at)
	}
	a.line++
	text, err := input.Interruptible(ctx, "read standard input", func() (string, error) {
		return a.lines.ReadString('\n')
	})
	if errors.Is(err, io.EOF) && text != "" {
		err = nil
	}
	return text, err
}

// take sends one line to the lab and prints what the command printed.
func (a *author) take(r *recorder, text string) error {
	line, err := recording.ReadLine(text)
	if err != nil {
		return &refused{err.Error(), false}
	}
	if line.Kind == recording.Nothing {
		return nil
	}
	said, err := r.ask(message{Line: line})
	if err != nil {
		return err
	}
	switch line.Kind {
	case recording.BeginStep, recording.BeginMistake:
		a.at = line.Text
	case recording.BeginFix:
		a.at = "fix of " + a.at
	}
	switch {
	case !a.terminal && line.Kind == recording.Run:
		fmt.Fprintf(a.screen.Out, "$ %s\n", line.Text)
	case !a.terminal:
		fmt.Fprintln(a.screen.Out, strings.TrimSpace(text))
	}
	if said.Output != "" {
		fmt.Fprintln(a.screen.Out, strings.TrimSuffix(said.Output, "\n"))
	}
	if said.Status != 0 {
		fmt.Fprintf(a.screen.Out, "[%d]\n", said.Status)
	}
	return nil
}
