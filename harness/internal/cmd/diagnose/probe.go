package diagnose

import (
	"context"

	"netnscheck/harness/diagnose"
	"netnscheck/harness/internal/netns"
	"netnscheck/harness/internal/probe"
	"netnscheck/harness/term"
)

// probed is the result of the packet that --probe sends.
type probed struct {
	Answered bool   `json:"answered"`
	Found    string `json:"found"`
}

// probeOnce sends one echo, or connects once, from the namespace of the diagnosis. The answer confirms or contradicts
// the diagnosis, which comes from the state alone.
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

// contradicts reports whether the probe disproves the diagnosis. If only a part of the flows is stopped, the cause lets
// something pass, or there are doubts, either answer is consistent with it.
func (p *probed) contradicts(r *diagnose.Report) bool {
	if c := r.Cause; c != nil {
		return p.Answered && !c.Part && !c.Passes
	}
	return !p.Answered && len(r.Doubts) == 0
}
