package lab

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"

	"netnscheck/harness/claim"
	"netnscheck/harness/internal/observe"
	"netnscheck/harness/scenario"
)

// recount counts anew where more was counted than is wanted: no later command could make the check true again.
func (v *Live) recount(ctx context.Context, verdicts []scenario.Verdict) error {
	now := map[claim.Count]uint64{}
	for i, c := range v.checks {
		grew, counts := c.Claim.(claim.CounterGrew)
		if !counts || verdicts[i].Outcome != scenario.Fail {
			continue
		}
		q := c.Claim.Needs().Question.(claim.Count)
		read, err := v.read(ctx, []claim.Count{q})
		if err != nil {
			return err
		}
		if before := v.base.counters[q]; read[q] < before || read[q]-before > grew.By {
			now[q] = read[q]
		}
	}
	maps.Copy(v.base.counters, now) // two checks may count the same
	return nil
}

// listenAnew listens anew to the events in a namespace where there was one that a check denies, or where some were
// lost: no later command could make the check true again.
func (v *Live) listenAnew(verdicts []scenario.Verdict) error {
	denied := map[string]bool{}
	for i, c := range v.checks {
		if q, listens := c.Claim.Needs().Question.(claim.Watch); listens && q.None {
			denied[q.Netns] = denied[q.Netns] || verdicts[i].Outcome == scenario.Fail
		}
	}
	for ns, old := range v.base.feeds {
		if _, err := old.Events(0); !denied[ns] && !errors.Is(err, observe.ErrLost) {
			continue
		}
		source, err := v.watch(ns)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return fmt.Errorf("listen anew: %w", err)
		}
		old.Close()
		v.base.feeds[ns] = source
	}
	return nil
}
