package lab

import (
	"context"
	"fmt"

	"netnscheck/harness/internal/kernel"
	"netnscheck/harness/scenario"
)

// versions are what the conditions of console blocks compare.
func versions() scenario.Versions {
	return scenario.Versions{"kernel": kernel.Release(), "iproute2": kernel.IPRoute2(), "busybox": kernel.Busybox()}
}

// requirements looks once, when first asked, whether this machine has what the scenario requires.
func requirements(sc *scenario.Scenario) func(context.Context) (string, error) {
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
