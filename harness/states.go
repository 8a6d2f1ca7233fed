package main

import (
	"context"
	"encoding/json"
	"os"

	"netnscheck/harness/internal/observe"
	"netnscheck/harness/state"
)

// readState reads a state that was saved as JSON.
func readState(path string) (*state.State, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, readError(path, err)
	}
	var s state.State
	if err := json.Unmarshal(text, &s); err != nil {
		return nil, usage("read the state %s: %w", path, err)
	}
	if len(s.Namespaces) == 0 {
		return nil, usage("read the state %s: there is no namespace in it; `harness diagnose --save FILE` writes one", path)
	}
	return &s, nil
}

// readMachine reads the namespaces of this machine: the one that the harness is in, those with a name, and those of processes that are
// asked for.
func readMachine(ctx context.Context, o observe.MachineOptions) (*state.State, error) {
	s, err := observe.Machine(ctx, o)
	if err != nil {
		return nil, cannot("%w", err)
	}
	return s, nil
}
