package doctor

import (
	"context"
	"fmt"
	"slices"

	"netnscheck/harness/internal/cmd/machine"
	"netnscheck/harness/internal/inside"
	"netnscheck/harness/internal/kernel"
	"netnscheck/harness/internal/untrusted"
)

// Features is the role that tries the features of the kernel inside the sandbox.
var Features = inside.Question[struct{}, []finding]{
	Name:   "doctor-inside",
	Answer: func(ctx context.Context, _ struct{}) ([]finding, error) { return lookHere(ctx) },
}

// finding is the result of the trial of a feature, as it travels out of the sandbox.
type finding struct {
	Name     string `json:"name"`
	Presence string `json:"presence"`
	Reason   string `json:"reason,omitempty"`
}

// look tries the features where labs would run: in the sandbox, or on the machine.
func look(ctx context.Context, sandboxed bool) ([]finding, error) {
	if !sandboxed {
		return lookHere(ctx)
	}
	findings, err := Features.Ask(ctx, struct{}{}, inside.Needs{TUN: true})
	if err != nil {
		return nil, machine.Asked(err)
	}
	words := kernel.Words()
	if len(findings) != len(words) {
		return nil, fmt.Errorf("%d features were tried, and %d reported", len(words), len(findings))
	}
	known := []string{kernel.Present.String(), kernel.Absent.String(), kernel.Unknown.String()}
	for i := range findings {
		f := &findings[i]
		if f.Name != words[i] || !slices.Contains(known, f.Presence) {
			return nil, fmt.Errorf("the feature %s was tried, and %.64q was reported as %.64q",
				words[i], f.Name, f.Presence)
		}
		f.Reason = untrusted.Shown(f.Reason)
	}
	return findings, nil
}

func lookHere(ctx context.Context) ([]finding, error) {
	words := kernel.Words()
	found, err := kernel.Look(ctx, words...)
	if err != nil {
		return nil, err
	}
	findings := make([]finding, len(words))
	for i, f := range found {
		findings[i] = finding{words[i], f.Presence.String(), f.Reason}
	}
	return findings, nil
}
