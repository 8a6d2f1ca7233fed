package diagnose

import (
	"context"
	"math"
	"math/rand/v2"

	"netnscheck/harness/diagnose"
	"netnscheck/harness/internal/netns"
	"netnscheck/harness/internal/probe"
	"netnscheck/harness/term"
)

// probed is the result of the packet that --probe sends.
type probed struct {
	Answered bool   `json:"answered"`
	Found    string `json:"found"`

	errno   string // with which the kernel refused to send, or the connection ended
	unsent  bool   // nothing was sent: there is no carrier
	ownPort uint16 // the own port of the connection, or the identifier of the echo
}

// probeOnce sends one echo, or connects once, from the namespace of the diagnosis. The answer confirms or contradicts
// the diagnosis, which comes from the state alone.
func probeOnce(ctx context.Context, o options) (*probed, error) {
	if o.port != 0 {
		r, err := probe.Connect(ctx, netns.Machine{}, o.from,
			probe.ConnectRequest{Dest: o.target, From: o.sender, Port: o.port}, probe.Long)
		return &probed{r.Connected, term.OneLine(r.Found), probe.Name(r.Errno), r.Unsent, r.OwnPort}, err
	}
	id := uint16(1 + rand.IntN(math.MaxUint16))
	r, err := probe.Echo(ctx, netns.Machine{}, o.from,
		probe.EchoRequest{Dest: o.target, From: o.sender, Bytes: o.size, ID: id}, probe.Long)
	return &probed{r.Reached, term.OneLine(r.Found), probe.Name(r.Errno), r.Unsent, id}, err
}

// contradicts reports whether the probe disproves the diagnosis. If only a part of the flows is stopped, the cause lets
// something pass, or there are doubts, either answer is consistent with it.
func (p *probed) contradicts(r *diagnose.Report) bool {
	if c := r.Cause; c != nil {
		return p.Answered && !c.Part && !c.Passes
	}
	return !p.Answered && len(r.Doubts) == 0
}
