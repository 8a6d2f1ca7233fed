package lab

import (
	"context"

	"netnscheck/harness/internal/netns"
	"netnscheck/harness/scenario"
)

// Play runs one scenario with one driver, section by section: the steps in a lab that goes on from step to step, each mistake
// in a fresh one. It keeps what later sections need to know: which step failed or was skipped, and the state after each.
type Play struct{}

// PlayOptions are how a scenario is played.
type PlayOptions struct {
	World netns.Options
	// Keep leaves a lab in which a section failed open; Kept tells how to enter it. Close takes it down.
	Keep bool
}

// Parity holds the state that each driver left after each step of one scenario, so that they can be compared.
type Parity struct{}

// NewPlay prepares to play; nothing is made before the first section. parity may be shared by the plays of one scenario, one
// after the other.
func NewPlay(sc *scenario.Scenario, d Driver, parity *Parity, o PlayOptions) *Play {
	panic("being written")
}

// Step plays step i (from 0). Steps are played in order.
func (p *Play) Step(ctx context.Context, i int) scenario.SectionResult { panic("being written") }

// Mistake plays mistake j of step i (both from 0), after step i was played or was to be.
func (p *Play) Mistake(ctx context.Context, i, j int) scenario.SectionResult {
	panic("being written")
}

// Kept are the shell commands that enter the labs that were kept.
func (p *Play) Kept() []string { panic("being written") }

// Close takes the labs down; the error says what was left behind.
func (p *Play) Close() error { panic("being written") }
