// Package lab is the only door to the kernel: it starts a live instance of a scenario in namespaces of its own, carries
// out commands with a driver, observes the state and evaluates claims. It may be imported by the command line and the
// suites; it imports scenario, state and the packages under internal, and it never imports Ginkgo.
package lab

import (
	"context"

	"netnscheck/harness/internal/netns"
	"netnscheck/harness/scenario"
	"netnscheck/harness/state"
)

// Driver carries commands out. internal/iproute2 and internal/rtnetlink implement it.
type Driver interface {
	// Name is the word of the format: iproute2, busybox, netlink.
	Name() string
	// Run carries out one command in the world and tells what it answered. A refusal is no error: it is in the exchange,
	// as a status that is not 0. A *scenario.CannotSay means that this driver has no way to do it. Any other error kept
	// the command from being carried out.
	Run(ctx context.Context, w *netns.World, cmd scenario.Command) (scenario.Exchange, error)
}

// Lab is a live instance of a scenario.
type Lab struct {
	world *netns.World
}

// Start builds the host namespace as the scenario describes it.
func Start(ctx context.Context, host scenario.Host, o netns.Options) (*Lab, error) {
	panic("being written")
}

// State reads the state of all namespaces of the lab; those of the harness's own (behind the host's interfaces) are left out.
func (l *Lab) State(ctx context.Context) (*state.State, error) { panic("being written") }

// Close takes the lab down and says what was left behind.
func (l *Lab) Close() error { panic("being written") }
