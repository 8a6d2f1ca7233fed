// Package client has the subcommands of lab that ask a lab that is open: from its own shell, where they are `lab check`
// and so on, and from another terminal as `harness lab check`. Only the subcommand lab imports it.
package client

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"netnscheck/harness/internal/cmd/lab/page"
	"netnscheck/harness/internal/cmd/screen"
	"netnscheck/harness/internal/cmd/status"
	"netnscheck/harness/internal/session/client"
	"netnscheck/harness/internal/session/wire"
	"netnscheck/harness/internal/untrusted"
	"netnscheck/harness/state/drawing"
)

// asks are the subcommands that ask one thing.
var asks = []struct{ use, does, long string }{
	{wire.Check, "Look at everything again, and list what holds", ""},
	{wire.Hint, "Give the next hint of this step", "A hint is counted. It may cost points where labs are graded."},
	{wire.Next, "Go on to the next step, once this one is done", ""},
	{wire.Solve, "Run the commands of this step, and show them",
		"The step counts as solved for you: it earns no points."},
	{wire.Map, "Draw the namespaces of the lab as they are now", ""},
	{wire.Why, "Say why what is open does not work yet",
		"In a challenge it counts as a hint, unless it says the same again."},
	{wire.Log, "List what you did, step by step, and what came of it", ""},
	{wire.Quit, "End the lab, from any of its terminals", ""},
}

// Commands are these subcommands.
func Commands(s *screen.Screen) []*cobra.Command {
	var all []*cobra.Command
	for _, a := range asks {
		all = append(all, &cobra.Command{
			Use: a.use + " [ID]", Short: a.does, Long: a.long,
			Args: status.Args(0, 1, "the id of an open lab, if there are several"),
			RunE: func(c *cobra.Command, args []string) error { return ask(c.Context(), s, a.use, args) },
		})
	}
	return append(all, reset(s))
}

// Where says where the learner is: `lab` alone.
func Where(ctx context.Context, s *screen.Screen) error { return ask(ctx, s, wire.View, nil) }

func ask(ctx context.Context, s *screen.Screen, what string, ids []string) error {
	reply, err := request(ctx, wire.Request{Do: what}, ids)
	if err != nil {
		return err
	}
	switch {
	case what == wire.Map && reply.View != nil && reply.View.State != nil:
		d := drawing.Of(reply.View.State, drawing.Options{Width: s.Columns, ASCII: s.ASCII,
			Changed: reply.View.Changed})
		text := d.Text()
		if s.Colour {
			text = d.Painted()
		}
		_, err := fmt.Fprint(s.Out.Painted(), text)
		return err
	case what == wire.Log && reply.View != nil:
		return page.Log(s, reply.View, reply.Log, reply.Earlier)
	case what == wire.View && reply.View != nil:
		return page.Where(s, reply.View)
	case what == wire.Hint || what == wire.Why || what == wire.Solve:
		return s.Page(reply.Text)
	case reply.View != nil:
		return page.Step(s, reply.View, what == wire.Next)
	}
	return nil
}

// request asks the lab with one of the ids, or the only one that is open.
func request(ctx context.Context, r wire.Request, ids []string) (wire.Reply, error) {
	conn, err := client.Dial(ctx, os.Getenv, strings.Join(ids, ""))
	if err != nil {
		return wire.Reply{}, status.With(status.Usage, err)
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, conn.Close)
	defer stop()
	reply, err := conn.Ask(r)
	if err == nil && reply.Error != "" {
		err = &status.Error{Status: max(reply.Status, status.Failed), Cause: errors.New(untrusted.Shown(reply.Error))}
	}
	return reply, err
}

// reset is `lab reset`, which asks.
func reset(s *screen.Screen) *cobra.Command {
	var step, yes bool
	c := &cobra.Command{
		Use: "reset [ID]", Short: "Begin anew: the whole lab, or with --step this step",
		Args: status.Args(0, 1, "the id of an open lab, if there are several"),
		RunE: func(c *cobra.Command, args []string) error {
			r := wire.Request{Do: wire.Reset}
			what := "the whole lab"
			if step {
				r.Args, what = []string{wire.StepAlone}, "this step"
			}
			if !yes {
				fmt.Fprintf(s.Out, "Begin %s anew, with a new shell? What was done there is lost. [y/N] ", what)
				answer, _ := bufio.NewReader(os.Stdin).ReadString('\n')
				if a := strings.ToLower(strings.TrimSpace(answer)); a != "y" && a != "yes" {
					return status.Usagef("not reset")
				}
			}
			_, err := request(c.Context(), r, args)
			return err
		},
	}
	c.Flags().BoolVar(&step, "step", false, "begin this step anew, with the steps before it done")
	c.Flags().BoolVarP(&yes, "yes", "y", false, "do not ask")
	return c
}
