// Package lab is the only door to the kernel: it starts a live instance of a scenario in namespaces of its own, carries
// out commands with a driver, observes the state and evaluates claims. It may be imported by the command line and the
// suites; it imports scenario, state and the packages under internal, and it never imports Ginkgo.
package lab

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

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

// Lab is a live instance of a scenario: a host namespace and those that its commands make.
type Lab struct {
	world *netns.World
	// unsettled says that a link may have come up since links were settled.
	unsettled atomic.Bool
}

// Options say where a lab's namespaces are: in the sandbox (the zero value), or on the machine.
type Options struct {
	// Shared puts them where `ip netns` of the machine shows them, each name with the lab's id as suffix. That takes
	// root.
	Shared bool
	// Ahead is how many namespaces are about to be added (Namespaces counts them): they are made along with the lab.
	Ahead int
	// Ancestor is for who runs labs outside of a sandbox: the number of a process that gets the orphans of this one,
	// and below which nothing runs that was not started by a lab. 0: there is none.
	Ancestor int
}

// Start builds the host namespace as the scenario describes it.
func Start(ctx context.Context, host scenario.Host, o Options) (*Lab, error) {
	if o.Ancestor == 0 {
		o.Ancestor = sandbox.Ancestor()
	}
	w, err := netns.New(netns.Options(o))
	if err != nil {
		return nil, fmt.Errorf("start a lab: %w", err)
	}
	l := &Lab{world: w}
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
		route, err := uplink.ParseRoute(r)
		if err != nil {
			return err
		}
		adds = append(adds, operation.Command{Op: operation.RouteChange{Verb: operation.Add, Route: route}})
	}
	return l.Build(ctx, adds)
}

// State reads the state of all namespaces of the lab; the harness's own one behind the host's interfaces is left out.
func (l *Lab) State(ctx context.Context) (*state.State, error) {
	return observe.Lab(ctx, l.world, observe.Options{})
}

// brief is State without what no check asks a state for, in a third of the time.
func (l *Lab) brief(ctx context.Context) (*state.State, error) {
	return observe.Lab(ctx, l.world, observe.Options{Brief: true})
}

// Whole is State with the packet filters too, which take longer to read: what a diagnosis needs.
func (l *Lab) Whole(ctx context.Context) (*state.State, error) {
	return observe.Lab(ctx, l.world, observe.Options{Filters: true})
}

// Run carries one command out with a driver, and settles the links. A refusal is no error: it is in the exchange.
func (l *Lab) Run(ctx context.Context, d Driver, cmd scenario.Command) (scenario.Exchange, error) {
	x, err := l.carryOut(ctx, d, cmd)
	if err != nil {
		return x, err
	}
	return x, l.settle(ctx)
}

// carryOut is Run for one of several commands: links that come up are settled before the first command that may see the
// difference. The caller settles them after the last one. To settle them after each would visit all namespaces for
// each.
func (l *Lab) carryOut(ctx context.Context, d Driver, cmd scenario.Command) (scenario.Exchange, error) {
	c, unknown := operation.Parse(cmd.Argv)
	if unknown != nil || !onlyAdds(c.Op) {
		if err := l.settle(ctx); err != nil {
			return scenario.Exchange{Line: cmd.Line, Command: cmd.Text}, err
		}
	}
	x, err := d.Run(ctx, l, cmd)
	if unknown != nil || maySetUp(c.Op) {
		l.unsettled.Store(true)
	}
	if err != nil {
		return x, err
	}
	if add, ok := c.Op.(operation.NetnsAdd); ok && x.Status == 0 {
		return x, l.world.Plain(add.Name)
	}
	return x, nil
}

// onlyAdds says whether an operation does the same whether links have settled or not: one that adds to what is there,
// and asks for nothing. A route is not among them, since an IPv6 gateway is looked for through links that are ready
// alone.
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

// maySetUp says whether a link may have come up by an operation: not if it is known to be about something else. To
// settle links costs little, but the sockets that it closes make a move between namespaces that follows at once wait
// for one grace period of RCU more.
func maySetUp(op operation.Operation) bool {
	switch op := op.(type) {
	case operation.LinkAdd:
		return op.Up || op.Peer != nil && op.Peer.Up
	case operation.LinkSet:
		return op.Up != nil || op.Carrier != nil || op.Master != nil
	case operation.Run:
		return true
	}
	return false
}

// Do carries out command lines, in words as a scenario has them, and stops at the first one that is refused. None is
// carried out if the driver cannot say one of them: the error is a *scenario.CannotSay or a *scenario.Unavailable.
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
			return fmt.Errorf("run %q: %s", cmd.Text, foundStatus(x))
		}
	}
	return nil
}

// Build carries out typed operations by netlink, whatever driver the lab is played with. None is carried out if a
// program is missing that one of them is: the error is a *scenario.Unavailable.
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
	l.unsettled.Store(true)
	if err := rtnetlink.New().Build(ctx, l.world, cmds); err != nil {
		return err
	}
	return l.settle(ctx)
}

// Namespaces counts those that the operations add, for Options.Ahead.
func Namespaces(cmds []operation.Command) int {
	n := 0
	for _, c := range cmds {
		if _, ok := c.Op.(operation.NetnsAdd); ok {
			n++
		}
	}
	return n
}

// settle makes the kernel finish what it postponed after links were set up, so that the first packets are not lost.
func (l *Lab) settle(ctx context.Context) error {
	if !l.unsettled.Load() {
		return nil
	}
	if err := observe.Settle(ctx, l.world); err != nil {
		return err
	}
	l.unsettled.Store(false)
	return nil
}

// ID is the lab's name, unique on the machine.
func (l *Lab) ID() string { return l.world.ID() }

// Thread is the number of a thread of this process that lives in the lab's host namespace as long as the lab does: the
// way in.
func (l *Lab) Thread() int { return l.world.Thread() }

// Close takes the lab down and says what was left behind.
func (l *Lab) Close() error { return l.world.Close() }

// TestMain runs a test binary's tests inside a sandbox and returns its exit status. Suites call it from their TestMain.
func TestMain(m interface{ Run() int }) int { return sandbox.TestMain(m) }

// Lacking skips a test for want of a program, with the reason; where everything is required (CI), it fails the test.
func Lacking(t interface {
	Helper()
	Skip(...any)
	Fatal(...any)
}, reason any) {
	t.Helper()
	sandbox.Lacking(t, reason)
}
