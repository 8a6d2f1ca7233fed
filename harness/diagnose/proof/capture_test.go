package proof_test

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"netnscheck/harness/diagnose"
	"netnscheck/harness/diagnose/causes"
	"netnscheck/harness/state"
)

var capture = flag.Bool("capture", false,
	"print a state for each fault, as make diagnose-capture writes them to harness/diagnose/testdata")

// captured is a state with one fault in it, as a file for the tests without a kernel.
type captured struct {
	// Made are the commands that made the fault.
	Made  []string       `json:"made,omitempty"`
	Query diagnose.Query `json:"query"`
	State *state.State   `json:"state"`
}

// TestCapture makes each fault in a small network, checks that it is diagnosed, and prints the state, because a sandbox
// writes no files.
func TestCapture(t *testing.T) {
	if !*capture {
		t.Skip("it only prints states: -capture")
	}
	count := map[causes.Cause]int{}
	for i, m := range faults {
		count[m.cause]++
		network, p, f := smallest(m, uint64(i))
		f.cause = m.cause
		err := inNetwork(t.Context(), network, func(n *live) error {
			if err := n.breakIt(t.Context(), f); err != nil {
				return err
			}
			q := f.query(p)
			if _, _, err := n.reaches(t.Context(), q, false); err != nil && f.from == "" {
				return err
			}
			return n.capture(t.Context(), f, q, fmt.Sprintf("%s-%d", m.cause, count[m.cause]))
		})
		if err != nil {
			t.Errorf("%s: %v", m.cause, err)
		}
	}
}

// smallest is the network with the fewest commands of several in which a fault can be made.
func smallest(m maker, seed uint64) (network *topology, p path, f *fault) {
	rng := rand.New(rand.NewPCG(1, seed))
	for range 40 {
		if n, way, made := fitting(rng, m.make); made != nil && made.names == nil &&
			(network == nil || len(n.lines) < len(network.lines)) {
			network, p, f = n, way, made
		}
	}
	return network, p, f
}

func (n *live) capture(ctx context.Context, f *fault, q diagnose.Query, name string) error {
	s, err := n.lab.Whole(ctx)
	if err != nil {
		return err
	}
	r := diagnose.Diagnose(s, q)
	if !f.named(r.Cause) || !slices.Contains(f.places, r.Cause.Place()) {
		return fmt.Errorf("%s is told: %s", strings.Join(f.does, "; "), told(r))
	}
	for i := range s.Namespaces { // what the diagnosis does not look at
		ns := &s.Namespaces[i]
		ns.NetnsIDs, ns.Qdiscs = nil, slices.DeleteFunc(ns.Qdiscs, func(q state.Qdisc) bool { return q.Default })
		for j := range ns.Links {
			ns.Links[j].Counters = nil
		}
	}
	text, err := json.Marshal(captured{f.does, q, s})
	if err != nil {
		return err
	}
	_, err = fmt.Printf("captured %s %s\n", name, text)
	return err
}
