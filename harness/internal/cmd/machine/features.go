package machine

import (
	"context"
	"fmt"
	"slices"

	"netnscheck/harness/internal/inside"
	"netnscheck/harness/internal/kernel"
	"netnscheck/harness/internal/untrusted"
)

// Features is the role that tries features inside the sandbox: those that it is asked for.
var Features = inside.Question[[]string, []Feature]{Name: "doctor-inside", Answer: lookHere}

// Feature is the result of the trial of a feature, as it travels out of the sandbox.
type Feature struct {
	Name     string `json:"name"`
	Presence string `json:"presence"`
	Reason   string `json:"reason,omitempty"`
}

// Look tries features, by the words that scenarios require them with, where labs would run: in the sandbox, or on the
// machine.
func Look(ctx context.Context, sandboxed bool, words []string) ([]Feature, error) {
	if !sandboxed {
		return lookHere(ctx, words)
	}
	findings, err := Features.Ask(ctx, words, inside.Needs{TUN: slices.Contains(words, "tun")})
	if err != nil {
		return nil, Asked(err)
	}
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

func lookHere(ctx context.Context, words []string) ([]Feature, error) {
	found, err := kernel.Look(ctx, words...)
	if err != nil {
		return nil, err
	}
	findings := make([]Feature, len(words))
	for i, f := range found {
		findings[i] = Feature{words[i], f.Presence.String(), f.Reason}
	}
	return findings, nil
}
