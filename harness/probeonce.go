package main

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

// probeOnce asks once for what the diagnosis is about, from the namespace itself: an echo, or a connection. It confirms or contradicts; the
// cause is named by the state alone.
func probeOnce(ctx context.Context, f diagnoseFlags) (*probed, error) {
	if f.port != 0 {
		r, err := probe.Connect(ctx, netns.Machine{}, f.from, probe.ConnectRequest{Dest: f.target, From: f.sender, Port: f.port}, probe.Long)
		return &probed{r.Connected, term.OneLine(r.Found)}, err
	}
	r, err := probe.Echo(ctx, netns.Machine{}, f.from, probe.EchoRequest{Dest: f.target, From: f.sender, Bytes: f.size}, probe.Long)
	return &probed{r.Reached, term.OneLine(r.Found)}, err
}

// contradicts says whether the packet met another fate than the diagnosis foresaw. Where only a part of the flows is stopped, or something
// passes, or is in doubt, it may meet either.
func (p *probed) contradicts(r *diagnose.Report) bool {
	if c := r.Cause; c != nil {
		return p.Answered && !c.Part && !c.Passes
	}
	return !p.Answered && len(r.Doubts) == 0
}
