package diagnose

import (
	"context"

	"netnscheck/harness/diagnose"
	"netnscheck/harness/internal/netns"
	"netnscheck/harness/internal/probe"
	"netnscheck/harness/term"
)

// probed is what came of the packet that --probe sends.
type probed struct {
	Answered bool   `json:"answered"`
	Found    string `json:"found"`
}

// probeOnce asks once for what the diagnosis is about, from the namespace itself: an echo, or a connection. It confirms
// or contradicts; the cause is named by the state alone.
func probeOnce(ctx context.Context, o options) (*probed, error) {
	if o.port != 0 {
		r, err := probe.Connect(ctx, netns.Machine{}, o.from,
			probe.ConnectRequest{Dest: o.target, From: o.sender, Port: o.port}, probe.Long)
		return &probed{r.Connected, term.OneLine(r.Found)}, err
	}
	r, err := probe.Echo(ctx, netns.Machine{}, o.from, probe.EchoRequest{Dest: o.target, From: o.sender, Bytes: o.size},
		probe.Long)
	return &probed{r.Reached, term.OneLine(r.Found)}, err
}

// contradicts says whether the packet met another fate than the diagnosis foresaw. Where only a part of the flows is
// stopped, or something passes, or is in doubt, it may meet either.
func (p *probed) contradicts(r *diagnose.Report) bool {
	if c := r.Cause; c != nil {
		return p.Answered && !c.Part && !c.Passes
	}
	return !p.Answered && len(r.Doubts) == 0
}
