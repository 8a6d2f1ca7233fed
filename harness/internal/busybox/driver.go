// Package busybox is the driver that has busybox say what iproute2 and ping are told: `busybox ip …` and `busybox ping …`, the
// real program, in the namespace of the command. What it cannot say, or takes and does otherwise (forms.go), the harness does by
// netlink; namespaces are the harness's work. Other programs run as they are. It may be imported by lab alone; it imports
// scenario, scenario/operation, internal/netns, internal/program and internal/rtnetlink, and it never starts `ip`.
package busybox

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"netnscheck/harness/internal/netns"
	"netnscheck/harness/internal/program"
	"netnscheck/harness/internal/rtnetlink"
	"netnscheck/harness/scenario"
	"netnscheck/harness/scenario/operation"
)

// Limit is how long one command may take (SCENARIO-FORMAT.md, "Console blocks").
const Limit = 30 * time.Second

const name = "busybox"

// Driver runs busybox, and has the harness do what busybox lacks.
type Driver struct{ harness *rtnetlink.Driver }

// New finds busybox; the error says what is missing.
func New() (*Driver, error) {
	if _, err := program.LookPath(name); err != nil {
		return nil, fmt.Errorf("find the program busybox: %w", err)
	}
	return &Driver{harness: rtnetlink.New()}, nil
}

// Name is the word of the format.
func (*Driver) Name() string { return name }

// CanSay asks, without doing anything, whether busybox or the harness could carry the command out.
func (d *Driver) CanSay(cmd scenario.Command) error {
	_, err := d.way(cmd)
	return err
}

// way is how a command is carried out.
type way struct {
	by    scenario.By
	netns string // "" is the host
	// c is what the command means, if that is known.
	c operation.Command
	// words are those of the program that is run.
	words []string
}

// way decides who carries a command out.
func (d *Driver) way(cmd scenario.Command) (way, error) {
	ns, words := operation.Enter(cmd.Argv)
	switch filepath.Base(words[0]) {
	case "ip", "ping", "ping6":
	default:
		err := program.Installed(words[0])
		if err != nil && ns != "" && refused(cmd) { // a lesson about a program that does not exist
			err = nil
		}
		return way{by: scenario.Named, netns: ns, words: words}, err
	}
	c, err := operation.Parse(cmd.Argv)
	var unknown *operation.UnknownWord
	if errors.As(err, &unknown) {
		return way{}, &scenario.CannotSay{Driver: name, Word: unknown.Word}
	}
	if err != nil { // refused by iproute2 itself, and by busybox in its own words
		return way{by: scenario.Busybox, netns: ns, words: append([]string{name}, words...)}, nil
	}
	if lacking(c) == "" {
		return way{by: scenario.Busybox, netns: ns, c: c, words: argv(c.Op)}, nil
	}
	var cannot *scenario.CannotSay
	if err := d.harness.CanSay(cmd); errors.As(err, &cannot) {
		return way{}, &scenario.CannotSay{Driver: name, Word: cannot.Word}
	} else if err != nil {
		return way{}, err
	}
	return way{by: scenario.Harness, netns: ns, c: c}, nil
}

func refused(cmd scenario.Command) bool { return cmd.Status.Any || cmd.Status.Code != 0 }

// Run carries out one command. What busybox or another program says is in the exchange as it says it.
func (d *Driver) Run(ctx context.Context, w *netns.World, cmd scenario.Command) (scenario.Exchange, error) {
	how, err := d.way(cmd)
	switch {
	case err != nil:
		return scenario.Exchange{Line: cmd.Line, Command: cmd.Text}, err
	case how.by == scenario.Harness:
		return d.harness.CarryOut(ctx, w, cmd, how.c)
	case how.by == scenario.Named || !isThere(w, how.netns): // a namespace that cannot be entered is refused by the harness
		return d.harness.CarryOut(ctx, w, cmd, operation.Command{Netns: how.netns, Exec: how.netns != "", Op: operation.Run{Argv: how.words}})
	}
	x := scenario.Exchange{Line: cmd.Line, Netns: how.netns, Command: cmd.Text, By: scenario.Busybox}
	start := time.Now()
	output, err := []byte(nil), error(nil)
	into := namespaceOf(w, how.c)
	if into == "" {
		x.Argv = how.words
		output, x.Status, err = program.Run(ctx, w, how.netns, x.Argv, Limit)
	} else {
		// busybox knows a namespace by a process that lives there: a thread of ours for so long.
		err = w.Go(into, func() (err error) {
			set := how.c.Op.(operation.LinkSet)
			set.Netns = strconv.Itoa(unix.Gettid())
			x.Argv = argv(set)
			output, x.Status, err = program.Run(ctx, w, how.netns, x.Argv, Limit)
			return err
		})
	}
	x.Duration, x.Output = time.Since(start), w.Lesson(string(output))
	return x, err
}

// isThere says whether a namespace can be entered. The lab's own word for its host is no name.
func isThere(w *netns.World, ns string) bool {
	if ns == "" || ns == netns.Host {
		return ns == ""
	}
	h, err := w.Open(ns)
	h.Close()
	return err == nil
}

// namespaceOf is the namespace into which a command moves a link; "" when it moves none, or names a process itself.
func namespaceOf(w *netns.World, c operation.Command) string {
	if set, ok := c.Op.(operation.LinkSet); ok && set.Netns != "" && isThere(w, set.Netns) {
		return set.Netns
	}
	return ""
}
