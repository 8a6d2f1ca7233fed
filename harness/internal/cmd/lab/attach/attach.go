// Package attach is `harness lab attach`, a further shell in a lab that is open. Only the subcommand lab imports it.
package attach

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"netnscheck/harness/internal/cmd/lab/start"
	"netnscheck/harness/internal/cmd/screen"
	"netnscheck/harness/internal/cmd/status"
	"netnscheck/harness/internal/session"
	"netnscheck/harness/internal/session/client"
	"netnscheck/harness/internal/session/terminal"
	"netnscheck/harness/internal/session/wire"
	"netnscheck/harness/internal/untrusted"
)

// Command is `harness lab attach`.
func Command(s *screen.Screen) *cobra.Command {
	var shell string
	c := &cobra.Command{
		Use: "attach [ID]", Short: "Open another shell in a lab that is open",
		Args: status.Args(0, 1, "the id of an open lab, if there are several"),
		RunE: func(c *cobra.Command, args []string) error {
			return run(c.Context(), s, shell, strings.Join(args, ""))
		},
	}
	start.ShellFlag(c, &shell)
	return c
}

func run(ctx context.Context, s *screen.Screen, shell, id string) error {
	if client.Inside() {
		return status.Usagef("attach to the lab: this is a shell of it already; use another terminal")
	}
	tty, err := terminal.Of(os.Stdin, os.Stdout)
	if err != nil {
		return status.Usagef("attach to a lab: %w", err)
	}
	open, err := start.Open(s, tty, shell)
	if err != nil {
		return err
	}
	conn, err := client.Dial(ctx, os.Getenv, id)
	if err != nil {
		return status.With(status.Usage, err)
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, conn.Close)
	defer stop()
	if err := conn.Message(wire.Request{Do: wire.Attach, Open: &open}); err != nil {
		return fmt.Errorf("attach to the lab: %w", err)
	}
	if err := tty.Take(); err != nil {
		return fmt.Errorf("take the terminal: %w", err)
	}
	defer tty.Give()
	go keys(tty, conn)
	defer tty.OnResize(func(rows, columns uint16) {
		size := wire.Size{Rows: rows, Columns: columns}
		conn.Message(wire.ToLab{Resize: &wire.Resize{Terminal: session.Main, Size: size}})
	})()
	said, err := relay(tty, conn)
	tty.Give()
	if ctx.Err() != nil {
		return status.With(status.Cut, fmt.Errorf("interrupted: %w", context.Cause(ctx)))
	}
	if said != "" {
		fmt.Fprintln(s.Err, "\n"+untrusted.Shown(said)) // below the prompt
	}
	return err
}

// relay shows the output of the shell until it ends, and returns what the lab says then.
func relay(tty *terminal.Terminal, conn *client.Conn) (said string, err error) {
	for {
		f, err := conn.Next()
		if errors.Is(err, io.EOF) {
			return "The lab has ended.", nil
		}
		if err != nil {
			return "", fmt.Errorf("read from the lab: %w", err)
		}
		if f.Kind == wire.Bytes {
			tty.Write(f.Payload)
			continue
		}
		var reply wire.Reply
		if err = f.Decode(&reply); err == nil && reply.Error != "" {
			err = errors.New(untrusted.Shown(reply.Error))
		}
		return reply.Text, err
	}
}

// keys passes the keys on.
func keys(tty *terminal.Terminal, conn *client.Conn) {
	buf := make([]byte, wire.MaxBytes)
	for {
		n, err := tty.Read(buf)
		if n > 0 && conn.Bytes(session.Main, buf[:n]) != nil || err != nil {
			conn.Close()
			return
		}
	}
}
