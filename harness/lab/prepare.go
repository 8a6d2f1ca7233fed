package lab

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"netnscheck/harness/scenario"
	"netnscheck/harness/scenario/operation"
	"netnscheck/harness/state"
)

// startAtSetup starts a lab and runs the scenario's set-up, with another driver if this one cannot.
func (p *Play) startAtSetup(ctx context.Context) (*Lab, error) {
	l, err := Start(ctx, p.sc.Host, p.opts.World)
	if err != nil {
		return nil, err
	}
	if p.sc.Setup == nil {
		return l, nil
	}
	if err := p.ofSetup().replay(ctx, l, p.sc.Setup); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return l, nil
}

// ofSetup is the play that runs the set-up, which has to be there.
func (p *Play) ofSetup() *Play {
	by := p.standIn(p.sc.Setup)
	if _, nobody := p.driver.(absent); nobody || by == nil {
		return p // for its reason
	}
	return by
}

// startBefore starts a lab in the state before step i, for a mistake at that step. If possible it builds the state
// directly, with links created where the steps would have moved them (a move takes 15 ms and slows other labs), and
// compares it with the state that the steps left. Otherwise it runs the steps again.
func (p *Play) startBefore(ctx context.Context, i int) (*Lab, error) {
	if want := p.viewBefore(i); want != nil {
		if cmds, ok := p.directCommands(i); ok {
			l, err := p.startDirect(ctx, cmds, want.state)
			if l != nil || err != nil {
				return l, err
			}
		}
	}
	l, err := p.startAtSetup(ctx)
	if err != nil {
		return nil, err
	}
	for k := range p.sc.Steps[:i] {
		by := p.again(k)
		if by == nil {
			continue
		}
		if err := by.replay(ctx, l, &p.sc.Steps[k].Section); err != nil {
			return nil, errors.Join(err, l.Close())
		}
	}
	return l, nil
}

// replay runs a section's commands again. Their output was compared the first time, so now only the status and the
// resulting state count. A section without a command for this driver is skipped again.
func (p *Play) replay(ctx context.Context, l *Lab, s *scenario.Section) error {
	if len(s.Blocks) > 0 && !p.anyFor(s.Blocks) {
		return nil
	}
	r := p.newResult(scenario.SetupSection, s, 0, 0)
	scene := &scene{play: p, lab: l, result: &r}
	telling := slices.DeleteFunc(slices.Clone(s.Checks), func(c scenario.Check) bool {
		return !c.Claim.Needs().Settles
	})
	base, err := l.Baseline(ctx, telling)
	if err != nil {
		return fmt.Errorf("run “%s” again: %w", s.Title, err)
	}
	defer base.Close()
	scene.base = base
	if !p.canSay(&r, s.Blocks, telling) || !scene.run(ctx, s.Blocks, byStatus) || r.Outcome != scenario.Pass {
		if r.Outcome == scenario.Skip {
			return &scenario.Unavailable{Reason: r.Reason, Programs: r.Missing}
		}
		return fmt.Errorf("run “%s”: %w", s.Title, r.Err())
	}
	if err := l.settleDown(ctx, telling, base); err != nil {
		return fmt.Errorf("run “%s” again: %w", s.Title, err)
	}
	return nil
}

// settleDown waits for asynchronous work of the kernel after a section, such as the removal of a namespace or duplicate
// address detection. A check that does not become true is an error, because the next section would start in a different
// state.
func (l *Lab) settleDown(ctx context.Context, telling []scenario.Check, base *Baseline) error {
	for i, a := range l.Await(ctx, telling, base) {
		if a.Outcome != scenario.Pass {
			return fmt.Errorf("%s did not become true: %s", telling[i].Text, cmp.Or(a.Reason, a.Found))
		}
	}
	return nil
}

// viewBefore is the view of the lab in which step i started when it was played, or nil if it is unknown.
func (p *Play) viewBefore(i int) *view {
	for k := min(i, len(p.steps)) - 1; k >= 0; k-- {
		if p.steps[k].after != nil {
			return p.steps[k].after
		}
		if p.steps[k].outcome != scenario.Skip {
			return nil
		}
	}
	return p.start
}

// directCommands are the operations of the set-up and the steps before step i, if all of them have a typed form.
// Refused commands changed nothing and are left out.
func (p *Play) directCommands(i int) ([]operation.Command, bool) {
	var blocks []scenario.Block
	if p.sc.Setup != nil {
		blocks = p.blocksFor(p.sc.Setup)
	}
	for k := range p.sc.Steps[:i] {
		if by := p.again(k); by != nil {
			blocks = append(blocks, by.blocksFor(&p.sc.Steps[k].Section)...)
		}
	}
	var cmds []operation.Command
	for _, b := range blocks {
		for _, cmd := range b.Commands {
			if cmd.Status.Refusal() {
				if b.Partial {
					return nil, false
				}
				continue
			}
			c, err := operation.Parse(cmd.Argv)
			if err != nil {
				return nil, false
			}
			if _, program := c.Op.(operation.Run); program {
				return nil, false
			}
			cmds = append(cmds, c)
		}
	}
	return operation.Direct(cmds), true
}

// blocksFor are the blocks of a section for this driver and this machine.
func (p *Play) blocksFor(s *scenario.Section) (blocks []scenario.Block) {
	for _, b := range s.Blocks {
		if p.isFor(b) {
			blocks = append(blocks, b)
		}
	}
	return blocks
}

// startDirect builds a state directly. It returns no lab and no error if the result differs from the wanted state.
func (p *Play) startDirect(ctx context.Context, cmds []operation.Command, want *state.State) (*Lab, error) {
	o := p.opts.World
	o.Ahead = Namespaces(cmds)
	l, err := Start(ctx, p.sc.Host, o)
	if err != nil {
		return nil, err
	}
	if err := l.Build(ctx, cmds); err != nil {
		return nil, l.Close() // running the steps will show what is wrong
	}
	got, err := l.State(ctx)
	if err != nil {
		return nil, errors.Join(err, l.Close())
	}
	if len(state.Parity(want, got)) > 0 {
		return nil, l.Close()
	}
	return l, nil
}
