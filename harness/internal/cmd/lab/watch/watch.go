// Package watch is `harness lab watch`, the view of a lab from a second terminal. Only the subcommand lab imports it.
package watch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"netnscheck/harness/internal/cmd/screen"
	"netnscheck/harness/internal/cmd/status"
	"netnscheck/harness/internal/session/client"
	"netnscheck/harness/internal/session/terminal"
	"netnscheck/harness/internal/session/wire"
	"netnscheck/harness/internal/untrusted"
	"netnscheck/harness/internal/watch"
	"netnscheck/harness/sitting"
)

// Command is `harness lab watch`.
func Command(s *screen.Screen) *cobra.Command {
	var plain bool
	c := &cobra.Command{
		Use:   "watch [ID]",
		Short: "Watch an open lab from a second terminal: step, checks, map",
		Long: `Shows an open lab on a whole terminal: the step and its checks on the left, the
map of the network on the right, and below what changed last and what does not
work yet. It changes as the network does. Keys:

  h  the next hint           n  the next step         s  solve the step (asks)
  r  begin anew (asks)       m  the map alone         q  leave; the lab stays
  arrows, page up and down: scroll

Half a terminal will do: in fewer than 80 columns the map is shown by its key
alone. Where output is not a terminal, or a dumb one, it is --plain.`,
		Args: status.Args(0, 1, "the id of an open lab, if there are several"),
		RunE: func(c *cobra.Command, args []string) error {
			return run(c.Context(), s, strings.Join(args, ""), plain)
		},
	}
	c.Flags().BoolVar(&plain, "plain", false, "print what changes line by line, in words: for a screen reader")
	return c
}

func run(ctx context.Context, s *screen.Screen, id string, plain bool) error {
	lab, err := dial(ctx, id)
	if err != nil {
		return err
	}
	defer lab.stream.Close()
	tty, err := terminal.Of(os.Stdin, os.Stdout)
	if plain || err != nil || os.Getenv("TERM") == "dumb" {
		return tell(ctx, s, lab)
	}
	over, err := watch.Run(ctx, tty, lab, watch.Look{Colour: s.Colour, ASCII: s.ASCII})
	if over && err == nil {
		_, err = fmt.Fprintln(s.Out, "The lab has ended.")
	}
	return err
}

// errUnread ends what nobody reads.
var errUnread = errors.New("nobody reads standard output")

// tell is --plain, which ends with its reader: it would not hear of that until there is something to write.
func tell(ctx context.Context, s *screen.Screen, lab *opened) error {
	ctx, end := context.WithCancelCause(ctx)
	defer end(nil)
	go func() {
		if terminal.Unread(os.Stdout) {
			end(errUnread)
		}
	}()
	err := watch.Plain(ctx, s.Out, lab, s.Columns, s.ASCII)
	if errors.Is(context.Cause(ctx), errUnread) {
		return nil
	}
	return err
}

// opened is an open lab.
type opened struct {
	id     string
	stream *client.Conn
}

// dial begins to watch a lab.
func dial(ctx context.Context, id string) (*opened, error) {
	conn, err := client.Dial(ctx, os.Getenv, id)
	if err != nil {
		return nil, status.With(status.Usage, err)
	}
	if err := conn.Message(wire.Request{Do: wire.Watch}); err != nil {
		conn.Close()
		return nil, fmt.Errorf("watch the lab: %w", err)
	}
	return &opened{id, conn}, nil
}

// Next waits for the next view.
func (o *opened) Next() (sitting.View, error) {
	var r wire.Reply
	f, err := o.stream.Next()
	if err == nil {
		err = f.Decode(&r)
	}
	switch {
	case err == nil && r.Error != "":
		err = errors.New(untrusted.Shown(r.Error))
	case err == nil && r.View == nil:
		err = io.EOF
	}
	if errors.Is(err, io.EOF) {
		return sitting.View{}, io.EOF
	}
	if err != nil {
		return sitting.View{}, fmt.Errorf("watch the lab: %w", err)
	}
	return *r.View, nil
}

// Do asks the lab for something.
func (o *opened) Do(ctx context.Context, what string, args ...string) (string, *sitting.View, error) {
	conn, err := client.Dial(ctx, os.Getenv, o.id)
	if err != nil {
		return "", nil, err
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, conn.Close)
	defer stop()
	r, err := conn.Ask(wire.Request{Do: what, Args: args})
	if err == nil && r.Error != "" {
		err = errors.New(untrusted.Shown(r.Error))
	}
	return r.Text, r.View, err
}
