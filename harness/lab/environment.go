package lab

import (
	"context"
	"fmt"
	"slices"

	"netnscheck/harness/internal/kernel"
	"netnscheck/harness/scenario"
)

// versions are what the conditions of console blocks compare.
func versions() scenario.Versions {
	return scenario.Versions{"kernel": kernel.Release(), "iproute2": kernel.IPRoute2(), "busybox": kernel.Busybox()}
}

// requirements looks once, when first asked, whether this machine has what the scenario requires. On the machine itself (shared) no lab
// has an /etc of its own, and the machine's is not for lessons to write to.
func requirements(sc *scenario.Scenario, shared bool) func(context.Context) (string, error) {
	if shared && slices.Contains(sc.Requires, "etc-netns") {
		return func(context.Context) (string, error) {
			return "it writes to /etc/netns, and with --sandbox=off that is the machine's own", nil
		}
	}
	looked := false
	var missing string
	return func(ctx context.Context) (string, error) {
		if looked {
			return missing, nil
		}
		var err error
		if missing, err = kernel.Require(ctx, sc.Requires...); err != nil {
			return "", fmt.Errorf("find out whether %s can run here: %w", sc.ID, err)
		}
		looked = true
		return missing, nil
	}
}

// require is an error if this machine lacks what the scenario requires: a *scenario.Unavailable.
func require(ctx context.Context, sc *scenario.Scenario) error {
	missing, err := requirements(sc, false)(ctx)
	if err == nil && missing != "" {
		err = &scenario.Unavailable{Reason: missing}
	}
	return err
}
