// Package busybox is the driver that runs `ip` and `ping` commands by busybox, as `busybox ip …` and `busybox ping
// …`, in the namespace of the command. What busybox lacks, or does otherwise than iproute2 (forms.go), the harness
// does by netlink, as it does all of `ip netns`. Other programs run as they are. It may be imported by lab alone;
// ARCHITECTURE.md lists its own imports. It never starts `ip`.
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

const name = "busybox" // the program

// Driver runs busybox, and leaves the rest to the netlink driver.
type Driver struct{ harness *rtnetlink.Driver }

// New finds busybox. The error is a *scenario.Unavailable if busybox, or its ip or ping, is missing, and another one if
// busybox does not list its applets.
func New() (*Driver, error) {
	if err := found(); err != nil {
		return nil, err
	}
	return &Driver{harness: rtnetlink.New()}, nil
}

var found = sync.OnceValue(find)

// find looks for busybox and its applets ip and ping, which are chosen when busybox is built.
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
		return fmt.Errorf("list the applets of busybox: %w", err)
	}
	for _, applet := range []string{"ip", "ping"} {
		if !slices.Contains(strings.Fields(string(list)), applet) {
			reason := fmt.Sprintf("%s has no %s", path, applet)
			return &scenario.Unavailable{Reason: reason, Programs: []string{name + " " + applet}}
		}
	}
	return nil
}

// Name is the driver's name in scenarios.
func (*Driver) Name() string { return scenario.BusyboxDriver }

// CanSay reports whether busybox or the harness can run the command, without running it: nil, a *scenario.CannotSay, or
// a *scenario.Unavailable.
func (d *Driver) CanSay(cmd scenario.Command) error {
	_, err := d.way(cmd)
	return err
}

// Run runs one command. A refusal is part of the exchange, in the words of the program that refused.
func (d *Driver) Run(ctx context.Context, w *netns.World, cmd scenario.Command) (scenario.Exchange, error) {
	way, err := d.way(cmd)
	switch {
	case err != nil:
		return scenario.Exchange{Line: cmd.Line, Command: cmd.Text}, err
	case way.by == scenario.Harness:
		return d.harness.Run(ctx, w, cmd)
	case way.by == scenario.Named || !isThere(w, way.netns): // the harness then refuses to enter a missing one
		op := operation.Run{Argv: way.argv}
		return d.harness.CarryOut(ctx, w, cmd, operation.Command{Netns: way.netns, Exec: way.netns != "", Op: op})
	}
	x := scenario.Exchange{Line: cmd.Line, Netns: way.netns, Command: cmd.Text, By: scenario.Busybox}
	start := time.Now()
	printed, err := say(ctx, w, way, cmd.Apart, &x)
	x.Duration, x.Output, x.Stderr = time.Since(start), w.Lesson(string(printed.All)), w.Lesson(string(printed.Errors))
	if errors.Is(err, exec.ErrNotFound) {
		err = program.NotInstalled(name)
	}
	return x, err
}

// say runs busybox. It knows a namespace only by the pid of a process in it, so for a link that moves into a namespace
// a process is started there until busybox has ended.
func say(ctx context.Context, w *netns.World, way way, apart bool, x *scenario.Exchange) (p program.Printed,
	err error) {
	x.Argv = way.argv
	set, ok := way.op.(operation.LinkSet)
	// a name that is no namespace may be a pid; otherwise busybox refuses it
	if ok && set.Netns != "" && isThere(w, set.Netns) {
		there, err := program.Start(w, set.Netns,
			[]string{name, "sleep", strconv.Itoa(int(2 * program.Limit / time.Second))})
		if err != nil {
			return p, fmt.Errorf("start a process in %s: %w", set.Netns, err)
		}
		defer there.End()
		set.Netns = strconv.Itoa(there.PID())
		x.Argv = argv(set)
	}
	p, x.Status, err = program.RunCommand(ctx, w, way.netns, x.Argv, program.Limit, apart)
	return p, err
}

// isThere reports whether a namespace can be entered. "" is the host; the lab's name for its host is not valid here.
func isThere(w *netns.World, ns string) bool {
	if ns == "" || ns == netns.Host {
		return ns == ""
	}
	h, err := w.Open(ns)
	h.Close()
	return err == nil
}
