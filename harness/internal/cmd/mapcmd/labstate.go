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

// StateOfALab is the role that plays a scenario in the sandbox and answers with the state that it leaves.
var StateOfALab = inside.Question[labJob, labAnswer]{
	Name:   "state-of-a-lab",
	Answer: func(ctx context.Context, job labJob) (labAnswer, error) { return playForState(ctx, job), nil },
}

// labJob is the request: play the first Steps steps of a scenario.
type labJob struct {
	Scenario *scenario.Scenario
	Steps    int
}

// labAnswer is a state or an error; Lacks marks the error of a machine that lacks something required.
type labAnswer struct {
	State *state.State
	Error string
	Lacks bool
}

// labState plays the first steps of a scenario in a sandbox and returns the state that they leave.
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
		return labAnswer{Error: err.Error(), Lacks: scenario.Lacks(err)}
	}
	return labAnswer{State: s}
}
