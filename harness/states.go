package main

import (
	"context"
	"io/fs"

	"netnscheck/harness/internal/observe"
	"netnscheck/harness/state"
)

// readState reads a state that --save wrote. It may come from a pipe, such as a process substitution that unpacks it.
func readState(ctx context.Context, path string) (*state.State, error) {
	return interruptible(ctx, "read the state "+path, func() (*state.State, error) { return parseState(path) })
}

func parseState(path string) (*state.State, error) {
	text, err := readFile(path, stateLimit, fs.ModeNamedPipe)
	if err != nil {
		return nil, err
	}
	s, err := state.Decode(text)
	if err != nil {
		return nil, usage("read the state %s: %w", path, err)
	}
	if len(s.Namespaces) == 0 {
		return nil, usage("read the state %s: there is no namespace in it; `harness diagnose --save FILE` writes one", path)
	}
	return s, nil
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
