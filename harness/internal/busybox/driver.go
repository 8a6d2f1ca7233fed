// Package busybox is the driver that has busybox say what iproute2's ip and ping are told: `busybox ip …` and `busybox
// ping …`, the real program, in the namespace of the command. What it cannot say, or takes and does otherwise
// (forms.go), the harness does by netlink; namespaces are the harness's work. Other programs run as they are. It may be
// imported by lab alone; it imports scenario, scenario/operation, internal/netns, internal/program and
// internal/rtnetlink, and it never starts `ip`.
package busybox

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"netnscheck/harness/internal/netns"
	"netnscheck/harness/internal/program"
	"netnscheck/harness/internal/rtnetlink"
	"netnscheck/harness/scenario"
	"netnscheck/harness/scenario/operation"
)

const name = "busybox" // of the program, and of the driver

// Driver runs busybox, and has the harness do the rest.
type Driver struct{ harness *rtnetlink.Driver }

// New finds busybox; the error is a *scenario.Unavailable with what is missing, or says why busybox does not tell what
// it has.
func New() (*Driver, error) {
	if err := found(); err != nil {
		return nil, err
	}
	return &Driver{harness: rtnetlink.New()}, nil
}

var found = sync.OnceValue(find)

// find looks for busybox and for ip and ping in it: which programs it has was decided when it was built.
func find() error {
	path, err := program.LookPath(name)
	if err != nil {
		return program.NotInstalled(name)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, path, "--list")
	cmd.Env = append(os.Environ(), "LC_ALL=C")
	list, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("list the programs in busybox: %w", err)
	}
	for _, applet := range []string{"ip", "ping"} {
		if !slices.Contains(strings.Fields(string(list)), applet) {
			reason := fmt.Sprintf("%s has no %s", path, applet)
			return &scenario.Unavailable{Reason: reason, Programs: []string{name + " " + applet}}
		}
	}
	return nil
}

// Name is the word of the format.
func (*Driver) Name() string { return name }

// CanSay asks, without doing anything, whether busybox or the harness could carry the command out.
func (d *Driver) CanSay(cmd scenario.Command) error {
	_, err := d.way(cmd)
	return err
}

// Run carries out one command. What busybox or another program says is in the exchange as it says it.
func (d *Driver) Run(ctx context.Context, w *netns.World, cmd scenario.Command) (scenario.Exchange, error) {
	way, err := d.way(cmd)
	switch {
	case err != nil:
		return scenario.Exchange{Line: cmd.Line, Command: cmd.Text}, err
	case way.by == scenario.Harness:
		return d.harness.Run(ctx, w, cmd)
	case way.by == scenario.Named || !isThere(w, way.netns): // then the harness refuses to enter it
		op := operation.Run{Argv: way.argv}
		return d.harness.CarryOut(ctx, w, cmd, operation.Command{Netns: way.netns, Exec: way.netns != "", Op: op})
	}
	x := scenario.Exchange{Line: cmd.Line, Netns: way.netns, Command: cmd.Text, By: scenario.Busybox}
	start := time.Now()
	output, err := say(ctx, w, way, &x)
	x.Duration, x.Output = time.Since(start), w.Lesson(string(output))
	if errors.Is(err, exec.ErrNotFound) {
		err = program.NotInstalled(name)
	}
	return x, err
}

// say has busybox say it. For a link that moves into a namespace, that takes a process that lives there, which waits
// for so long.
func say(ctx context.Context, w *netns.World, way way, x *scenario.Exchange) (output []byte, err error) {
	x.Argv = way.argv
	set, ok := way.op.(operation.LinkSet)
	// what is not there may be the number of a process, or is refused
	if ok && set.Netns != "" && isThere(w, set.Netns) {
		there, err := program.Start(w, set.Netns,
			[]string{name, "sleep", strconv.Itoa(int(2 * program.Limit / time.Second))})
		if err != nil {
			return nil, fmt.Errorf("start a process in %s: %w", set.Netns, err)
		}
		defer there.End()
		set.Netns = strconv.Itoa(there.PID())
		x.Argv = argv(set)
	}
	output, x.Status, err = program.Run(ctx, w, way.netns, x.Argv, program.Limit)
	return output, err
}

// isThere says whether a namespace can be entered; "" is the host, of which the lab's own word is no name.
func isThere(w *netns.World, ns string) bool {
	if ns == "" || ns == netns.Host {
		return ns == ""
	}
	h, err := w.Open(ns)
	h.Close()
	return err == nil
}
