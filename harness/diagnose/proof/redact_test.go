package proof_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"

	"netnscheck/harness/diagnose"
	"netnscheck/harness/state"
)

// TestRedactedDiagnosis: the diagnosis of a redacted state names the same cause, at the same place, and the same
// remarks, as that of the state itself.
func TestRedactedDiagnosis(t *testing.T) {
	run(t, "redacted", len(faults), func(ctx context.Context, rng *rand.Rand, i int, _ *score) error {
		network, p, f := fitting(rng, faults[i%len(faults)].make)
		if f == nil {
			return fmt.Errorf("no random network has a place for %s", faults[i%len(faults)].cause)
		}
		return inNetwork(ctx, network, func(n *live) error {
			if err := n.breakIt(ctx, f); err != nil {
				return err
			}
			s, err := n.lab.Whole(ctx)
			if err != nil {
				return err
			}
			q := f.query(p)
			redacted, r := state.Redact(s, []byte(fmt.Sprint(*seed, i)))
			want := diagnosed(s, q)
			q.To = r.Addr(q.To)
			redacted.Asked = append(redacted.Asked, q.To.WithZone(""))
			if got := diagnosed(redacted, q); got != want {
				return fmt.Errorf("%s: redacted, it is told:\n%s\ninstead of:\n%s", faults[i%len(faults)].cause, got,
					want)
			}
			return nil
		})
	})
}

// diagnosed is a diagnosis without addresses.
func diagnosed(s *state.State, q diagnose.Query) string {
	r := diagnose.Diagnose(s, q)
	text := ""
	if c := r.Cause; c != nil {
		text = fmt.Sprintln(c.Name, "in", c.Place(), c.Reply)
	}
	for _, c := range r.Also {
		text += fmt.Sprintln("also", c.Name, "in", c.Place())
	}
	for _, h := range r.Path {
		text += fmt.Sprintln("by", h.Netns, h.Link, h.Reply, h.Stop)
	}
	return text
}
