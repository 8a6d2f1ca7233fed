package mapcmd

import (
	"context"
	"errors"
	"fmt"

	"netnscheck/harness/internal/cmd/machine"
	"netnscheck/harness/internal/cmd/status"
	"netnscheck/harness/internal/inside"
	"netnscheck/harness/internal/untrusted"
	"netnscheck/harness/internal/worker"
	"netnscheck/harness/lab"
	"netnscheck/harness/scenario"
	"netnscheck/harness/state"
)

// StateOfALab is the role that plays a scenario in the sandbox and tells the state that it leaves.
var StateOfALab = inside.Question[labJob, labAnswer]{
	Name:   "state-of-a-lab",
	Answer: func(ctx context.Context, job labJob) (labAnswer, error) { return playForState(ctx, job), nil },
}

// labJob is what is played: the first so many steps of a scenario.
type labJob struct {
	Scenario *scenario.Scenario
	Steps    int
}

// labAnswer is what came of it. Lacks says that it is for want of something on this machine.
type labAnswer struct {
	State *state.State
	Error string
	Lacks bool
}

// labState plays a scenario in a sandbox and returns the state after its first so many steps.
func labState(ctx context.Context, sc *scenario.Scenario, steps int) (*state.State, error) {
	needs := inside.Needs{TUN: worker.NeedsTUN(sc)}
	answer, err := StateOfALab.Ask(ctx, labJob{sc, steps}, needs)
	switch {
	case err != nil:
		return nil, fmt.Errorf("make a lab of %s: %w", sc.ID, machine.Asked(err))
	case answer.Error != "" && answer.State != nil, answer.Error == "" && answer.State == nil:
		return nil, fmt.Errorf("make a lab of %s: its process reported neither or both of a state and an error",
			sc.ID)
	case answer.Lacks:
		return nil, status.Cannotf("%s", untrusted.Shown(answer.Error))
	case answer.Error != "":
		return nil, errors.New(untrusted.Shown(answer.Error))
	}
	return answer.State, nil
}

func playForState(ctx context.Context, job labJob) labAnswer {
	s, err := lab.After(ctx, job.Scenario, job.Steps)
	if err != nil {
		var unavailable *scenario.Unavailable
		var cannotSay *scenario.CannotSay
		return labAnswer{Error: err.Error(), Lacks: errors.As(err, &unavailable) || errors.As(err, &cannotSay)}
	}
	return labAnswer{State: s}
}
