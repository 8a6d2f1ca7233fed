package diagnose

import (
	"context"
	"errors"
	"fmt"
	"time"

	"netnscheck/harness/diagnose"
	"netnscheck/harness/diagnose/testimony"
	"netnscheck/harness/internal/cmd/screen"
	"netnscheck/harness/internal/drops"
	"netnscheck/harness/state"
	"netnscheck/harness/term"
)

// traced is what the kernel said of its drops while the probe was on its way.
type traced struct {
	Verdict testimony.Verdict `json:"verdict"`
	Says    string            `json:"says"`
	Drops   []testimony.Drop  `json:"drops,omitempty"`
	Lost    uint64            `json:"lost,omitempty"`
}

// unheard is the verdict where the kernel cannot be heard.
const unheard testimony.Verdict = "unheard"

// patience is how long a packet without an answer is listened for: the kernel asks three times for a neighbour, once a
// second, before it drops what waits for it (mcast_solicit and retrans_time_ms in ip-sysctl.rst).
const patience = 3500 * time.Millisecond

// probeTraced is probeOnce, while the kernel is listened to.
func probeTraced(ctx context.Context, o options, s *state.State, r *diagnose.Report) (*probed, *traced, error) {
	flow := drops.FlowTo(s, r.Query)
	l, err := drops.Listen(drops.Filter{Namespaces: inodes(s), Addresses: flow.Addresses()})
	var unavailable *drops.Unavailable
	if errors.As(err, &unavailable) {
		p, err := probeOnce(ctx, o)
		return p, &traced{Verdict: unheard, Says: unavailable.Reason}, err
	}
	if err != nil {
		return nil, nil, err
	}
	defer l.Close()
	p, err := probeOnce(ctx, o)
	if err != nil {
		return nil, nil, err
	}
	if flow.OwnPort = p.ownPort; flow.Port == 0 {
		flow.Port = p.ownPort // both are the identifier of an echo
	}
	heard := testimony.Heard{Answered: p.Answered, Errno: p.errno, Unsent: p.unsent}
	until := time.Now()
	if !p.Answered && p.errno == "" && !p.unsent {
		until = until.Add(patience)
	}
	enough := func(so []testimony.Drop) bool { return testimony.Suffices(r, so) }
	next := func(until time.Time) (drops.Drop, error) { return l.Next(ctx, until) }
	if heard.Drops, err = drops.Gather(next, flow, s, until, enough); err != nil {
		return nil, nil, err
	}
	lost, err := l.Lost()
	if err != nil {
		return nil, nil, err
	}
	t := testimony.Of(r, heard)
	return p, &traced{t.Verdict, t.Says, heard.Drops, lost}, nil
}

func inodes(s *state.State) []uint64 {
	var all []uint64
	for i := range s.Namespaces {
		all = append(all, s.Namespaces[i].Inode)
	}
	return all
}

func (t *traced) print(s *screen.Sheet) {
	switch t.Verdict {
	case testimony.Agrees:
		s.Line("kernel    ", "agrees: "+term.OneLine(t.Says))
	case testimony.Contradicts:
		s.Line("kernel    ", "contradicts: "+term.OneLine(t.Says))
	case unheard:
		s.Line("kernel    ", "not heard: "+t.Says)
	default:
		s.Line("kernel    ", term.OneLine(t.Says))
	}
	if t.Lost > 0 {
		s.Line("          ", fmt.Sprintf("%d drops were not heard: there were too many at a time", t.Lost))
	}
}
