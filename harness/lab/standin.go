package lab

import (
	"context"
	"fmt"

	"netnscheck/harness/scenario"
	"netnscheck/harness/scenario/operation"
)

// passOver prepares the lab for the steps after the skipped step i: another driver runs the step's commands, as it
// would prepare a lab, and nothing of that is a result. The reason for the skip names it. A step that changes nothing
// needs no preparation; after one that was left half done, or that no driver here can run, the rest is skipped, too.
func (p *Play) passOver(ctx context.Context, i int, r *scenario.SectionResult, rec *stepRecord) {
	_, nobody := p.driver.(absent)
	if nobody || i == len(p.sc.Steps)-1 || len(r.Transcript) > 1 {
		return
	}
	step := &p.sc.Steps[i].Section
	if !p.changesSomething(step) {
		rec.passedOver = true
		return
	}
	by := p.standIn(step)
	if by == nil {
		return
	}
	err := p.startSteps(ctx)
	if err == nil {
		err = by.replay(ctx, p.lab, step)
	}
	if err == nil {
		rec.after, err = p.lab.view(ctx)
	}
	if err != nil {
		r.Reason += fmt.Sprintf("; the driver %s, which was to run its commands for the steps after it, did not: %v",
			by.driver.Name(), err)
		return
	}
	rec.passedOver, rec.by = true, by
	if by != p {
		r.Reason += fmt.Sprintf("; for the steps after it, the driver %s has run its commands", by.driver.Name())
	}
}

// standIn is a play of the first driver that can run the commands of a section: this one, where only the checks lack
// something, or another. It is nil if there is none.
func (p *Play) standIn(s *scenario.Section) *Play {
	if p.anyFor(s.Blocks) && p.lacking(s.Blocks, nil) == nil {
		return p
	}
	for _, d := range builders() {
		other := &Play{sc: p.sc, driver: d, opts: p.opts, named: p.named, here: p.here}
		if d.Name() != p.driver.Name() && other.anyFor(s.Blocks) && other.lacking(s.Blocks, nil) == nil {
			return other
		}
	}
	return nil
}

// changesSomething reports whether any command of a section, for whatever driver, may change something; in doubt it
// may, and packets do: they are counted, and teach neighbours and bridges.
func (p *Play) changesSomething(s *scenario.Section) bool {
	for _, b := range s.Blocks {
		drivers := append(b.Drivers[:len(b.Drivers):len(b.Drivers)], p.driver.Name())
		if !b.For(drivers[0], p.here.machine) {
			continue // for other machines
		}
		for _, cmd := range b.Commands {
			if !b.Partial && cmd.Status.Refusal() {
				continue
			}
			c, err := operation.Parse(cmd.Argv)
			if err != nil {
				return true
			}
			switch c.Op.(type) {
			case operation.Show, operation.SysctlShow:
			default:
				return true
			}
		}
	}
	return false
}

// again is the play that runs a step again, in the lab of a mistake: the one that ran it. It is nil for a step that was
// passed over because it changes nothing.
func (p *Play) again(i int) *Play {
	if i >= len(p.steps) || !p.steps[i].passedOver {
		return p
	}
	return p.steps[i].by
}
