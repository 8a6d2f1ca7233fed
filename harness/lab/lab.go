// Package lab is the only door to the kernel: it starts labs, runs commands in them with a driver, reads their state
// and evaluates claims. The command line, the suites and other modules may import it. It never imports Ginkgo.
package lab

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"netnscheck/harness/internal/netns"
	"netnscheck/harness/internal/observe"
	"netnscheck/harness/internal/program"
	"netnscheck/harness/internal/rtnetlink"
	"netnscheck/harness/internal/sandbox"
	"netnscheck/harness/internal/uplink"
	"netnscheck/harness/scenario"
	"netnscheck/harness/scenario/operation"
	"netnscheck/harness/state"
)

// Lab is a live instance of a scenario: a host namespace of its own and the namespaces made in it.
type Lab struct {
	world   *netns.World
	settler *observe.Settler
	// unsettled is set if the kernel may have something left to do since the last settle, deleted if a namespace may
	// have been deleted since then.
	unsettled, deleted atomic.Bool
	// busy is set if something may change the lab without another command: a program in the background, or the kernel
	// while it takes a namespace down. filters is set if there may be packet filters and queueing disciplines, some of
	// which have timers.
	busy, filters atomic.Bool
	// strangers is set if something may change that no command is to blame for: by a program that another one has left
	// running, or because a route expires.
	strangers atomic.Bool
	// refusals are those that probes have heard.
	refusals refusals
	live     []*Live // closed with the lab
}

// Options are the options of Start. The zero value is for a lab in the sandbox.
type Options struct {
	// Shared creates the namespaces on the machine, where `ip netns` shows them with the lab's id as a suffix. That
	// needs root.
	Shared bool
	// Ahead is the number of namespaces to create in advance, usually the result of Namespaces.
	Ahead int
	// Ancestor is for labs outside a sandbox: the id of the process that adopts the orphans of this one and has no
	// other descendants than the processes of labs. 0 means none.
	Ancestor int
}

// Start creates a lab with the host namespace that the scenario describes.
func Start(ctx context.Context, host scenario.Host, o Options) (*Lab, error) {
	if o.Ancestor == 0 {
		o.Ancestor = sandbox.Ancestor()
	}
	w, err := netns.New(netns.Options(o))
	if err != nil {
		return nil, fmt.Errorf("start a lab: %w", err)
	}
	l := &Lab{world: w, settler: observe.NewSettler(w)}
	if err := l.furnish(ctx, host); err != nil {
		return nil, errors.Join(fmt.Errorf("start a lab: %w", err), l.Close())
	}
	return l, nil
}

// furnish gives the host its interfaces and routes.
func (l *Lab) furnish(ctx context.Context, host scenario.Host) error {
	if err := uplink.Build(l.world, host); err != nil {
		return err
	}
	var adds []operation.Command
	for _, r := range host.Routes {
		route, err := r.Parse()
		if err != nil {
			return err
		}
		adds = append(adds, operation.Command{Op: operation.RouteChange{Verb: operation.Add, Route: route}})
	}
	return l.Build(ctx, adds)
}

// State reads the state of all namespaces of the lab, except the internal one with the peers of the host's interfaces.
func (l *Lab) State(ctx context.Context) (*state.State, error) {
	return observe.Lab(ctx, l.world, observe.Options{})
}

// brief is State without the parts that no check needs. It takes a third of the time.
func (l *Lab) brief(ctx context.Context) (*state.State, error) {
	return observe.Lab(ctx, l.world, observe.Options{Brief: true})
}

// Whole is State with the packet filters, which a diagnosis needs. It takes longer.
func (l *Lab) Whole(ctx context.Context) (*state.State, error) {
	return observe.Lab(ctx, l.world, observe.Options{Filters: true})
}

// Run runs one command with a driver and settles the links. A refusal is not an error: it is in the exchange.
func (l *Lab) Run(ctx context.Context, d Driver, cmd scenario.Command) (scenario.Exchange, error) {
	x, err := l.carryOut(ctx, d, cmd)
	if err != nil {
		return x, err
	}
	return x, l.settle(ctx)
}

// carryOut is Run for one of several commands. Links that came up are settled before the first command that depends on
// it, and by the caller after the last one; settling after each command would visit all namespaces each time.
func (l *Lab) carryOut(ctx context.Context, d Driver, cmd scenario.Command) (scenario.Exchange, error) {
	c, unknown := operation.Parse(cmd.Argv)
	if unknown != nil || !onlyAdds(c.Op) {
		if err := l.settle(ctx); err != nil {
			return scenario.Exchange{Line: cmd.Line, Command: cmd.Text}, err
		}
	}
	l.note(d, c, unknown)
	x, err := d.Run(ctx, l, cmd)
	l.moves(c, unknown)
	if err != nil {
		return x, err
	}
	if add, ok := c.Op.(operation.NetnsAdd); ok && x.Status == 0 {
		return x, l.world.Plain(add.Name)
	}
	return x, nil
}

// onlyAdds reports whether an operation has the same result whether links have settled or not: it adds something and
// reads nothing. A route is not one of them, because the kernel looks up an IPv6 gateway through ready links only
// (ip6_route_check_nh in net/ipv6/route.c).
func onlyAdds(op operation.Operation) bool {
	switch op := op.(type) {
	case operation.NetnsAdd, operation.LinkAdd:
		return true
	case operation.LinkSet:
		return op.Netns == "" && op.Carrier == nil && (op.Up == nil || *op.Up)
	case operation.AddressChange:
		return op.Verb == operation.Add
	}
	return false
}

// moves notes that the kernel may go on with the work of a command after its end; in doubt it may. Settling is cheap,
// but the sockets that it closes add an RCU grace period to a move between namespaces that follows immediately.
func (l *Lab) moves(c operation.Command, unknown error) {
	carrier, namespace := true, false
	switch op := c.Op.(type) {
	case operation.LinkAdd:
		carrier = op.Up || op.Peer != nil && op.Peer.Up
	case operation.LinkSet:
		carrier = op.Up != nil || op.Carrier != nil || op.Master != nil || op.Netns != ""
	case operation.NetnsDelete, operation.NetnsDeleteAll:
		namespace = true
	case operation.Run: // what it starts in a namespace without a name takes that along
		namespace = !complete(op)
	case operation.LinkDelete:
	default:
		carrier = false
	}
	if unknown != nil || namespace {
		l.gone()
	}
	if carrier {
		l.unsettled.Store(true)
	}
}

// gone notes that a namespace may have nobody any more.
func (l *Lab) gone() {
	l.deleted.Store(true)
	l.unsettled.Store(true)
}

// Do runs command lines, written as in a scenario, and stops at the first refusal. If the driver cannot run one of them
// none is run, and the error wraps a *scenario.CannotSay or a *scenario.Unavailable.
func (l *Lab) Do(ctx context.Context, d Driver, lines ...string) error {
	cmds := make([]scenario.Command, len(lines))
	for i, line := range lines {
		argv, err := scenario.Words(line)
		if err != nil {
			return fmt.Errorf("read the command %q: %w", line, err)
		}
		cmds[i] = scenario.Command{Text: line, Argv: argv}
		if err := d.CanSay(cmds[i]); err != nil {
			return fmt.Errorf("run %q: %w", line, err)
		}
	}
	err := l.doAll(ctx, d, cmds)
	if unsettled := l.settle(ctx); err == nil {
		err = unsettled
	}
	return err
}

func (l *Lab) doAll(ctx context.Context, d Driver, cmds []scenario.Command) error {
	for _, cmd := range cmds {
		x, err := l.carryOut(ctx, d, cmd)
		if err != nil {
			return fmt.Errorf("run %q: %w", cmd.Text, err)
		}
		if x.Status != 0 {
			return fmt.Errorf("run %q: exit status %s", cmd.Text, foundStatus(x))
		}
	}
	return nil
}

// Build runs typed operations with the netlink driver. If one of them is a program that is not installed none is run,
// and the error wraps a *scenario.Unavailable.
func (l *Lab) Build(ctx context.Context, cmds []operation.Command) error {
	if len(cmds) == 0 {
		return nil
	}
	for _, c := range cmds {
		if run, ok := c.Op.(operation.Run); ok {
			if err := program.Installed(scenario.Command{Argv: run.Argv}); err != nil {
				return err
			}
		}
	}
	for _, c := range cmds {
		l.note(Netlink(), c, nil)
	}
	l.unsettled.Store(true)
	if err := rtnetlink.New().Build(ctx, l.world, cmds); err != nil {
		return err
	}
	return l.settle(ctx)
}

// Namespaces is the number of namespaces that the operations add, for Options.Ahead.
func Namespaces(cmds []operation.Command) int {
	n := 0
	for _, c := range cmds {
		if _, ok := c.Op.(operation.NetnsAdd); ok {
			n++
		}
	}
	return n
}

// settle waits for what the kernel still has to do because of earlier commands (observe.Settler): everything that looks
// at the lab or compares two looks comes after it. What does not come to rest is left to those who look: a check waits
// for what it is about, and a failure tells it (restless).
func (l *Lab) settle(ctx context.Context) error {
	if !l.unsettled.Swap(false) { // before the visit: what moves during it may come too late for it
		return nil
	}
	deleted := l.deleted.Swap(false)
	_, err := l.settler.Settle(ctx, paced(patience), deleted)
	if err != nil {
		if deleted {
			l.deleted.Store(true)
		}
		l.unsettled.Store(true)
	}
	return err
}

// restless are lines for a report about what has not come to rest.
func restless(moving []observe.Moving) (lines []string) {
	const most = 5
	for i, m := range moving {
		if i == most {
			return append(lines, fmt.Sprintf("not at rest: %d more", len(moving)-most))
		}
		lines = append(lines, "not at rest: "+m.String())
	}
	return lines
}

// settleAll is settle for a lab in which something may have moved without a command: a timer, a program.
func (l *Lab) settleAll(ctx context.Context) error {
	l.unsettled.Store(true)
	return l.settle(ctx)
}

// patience is how long the kernel may take for what it has left to do: link-watch a second, the removal of a namespace
// as long as it takes to get the lock of rtnetlink.
const patience = 5 * time.Second

// ID is the lab's name, unique on the machine.
func (l *Lab) ID() string { return l.world.ID() }

// Thread is the id of a thread of this process that stays in the lab's host namespace until Close, for nsenter(1).
func (l *Lab) Thread() int { return l.world.Thread() }

// Close takes the lab down. The error lists what could not be removed.
func (l *Lab) Close() error {
	for _, v := range l.live {
		v.Close()
	}
	return l.world.Close()
}

// TestMain runs the tests of a test binary in a sandbox and returns the exit status. Call it from TestMain.
func TestMain(m interface{ Run() int }) int { return sandbox.TestMain(m) }

// Lacking skips a test because a program is missing, or fails it where everything is required (CI).
func Lacking(t interface {
	Helper()
	Skip(...any)
	Fatal(...any)
}, reason any) {
	t.Helper()
	sandbox.Lacking(t, reason)
}
