package machine

import (
	"context"
	"fmt"

	"netnscheck/harness/internal/inside"
	"netnscheck/harness/internal/kernel"
)

// PaceInside is the role that measures the pace of this machine inside the sandbox.
var PaceInside = inside.Question[struct{}, float64]{Name: "pace-inside",
	Answer: func(context.Context, struct{}) (float64, error) { return kernel.MeasurePace() }}

// Pace is the pace of this machine where labs would run: see kernel.MeasurePace.
func Pace(ctx context.Context, sandboxed bool) (float64, error) {
	if !sandboxed {
		return kernel.MeasurePace()
	}
	pace, err := PaceInside.Ask(ctx, struct{}{}, inside.Needs{})
	if err != nil {
		return 0, Asked(err)
	}
	if pace < 1 || pace > kernel.MaxPace {
		return 0, fmt.Errorf("measure the pace of this machine: %v is none", pace)
	}
	return pace, nil
}
