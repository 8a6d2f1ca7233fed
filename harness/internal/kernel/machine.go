package kernel

import (
	"context"
	"fmt"

	"netnscheck/harness/scenario"
)

// Machine is what conditions of console blocks ask for: the versions, and whether these features are present. A feature
// of which that could not be told is an error, since a block that might be for this machine must not be passed over.
func Machine(ctx context.Context, features ...string) (scenario.Machine, error) {
	m := scenario.Machine{
		Versions: map[string]string{"kernel": Release(), "iproute2": IPRoute2(), "busybox": Busybox()},
	}
	if len(features) == 0 {
		return m, nil
	}
	m.Features = map[string]bool{}
	findings, err := Look(ctx, features...)
	if err != nil {
		return m, fmt.Errorf("look for what blocks depend on: %w", err)
	}
	for i, f := range findings {
		if f.Presence == Unknown {
			return m, fmt.Errorf("look for the feature %s: could not tell: %s", features[i], f.Reason)
		}
		m.Features[features[i]] = f.Presence == Present
	}
	return m, nil
}
