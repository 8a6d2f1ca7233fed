package input

import (
	"context"
	"io/fs"

	"netnscheck/harness/internal/cmd/status"
	"netnscheck/harness/internal/observe"
	"netnscheck/harness/state"
)

// State reads a state that --save wrote. The file may be a pipe, such as a process substitution that unpacks it.
func State(ctx context.Context, path string) (*state.State, error) {
	return Interruptible(ctx, "read the state "+path, func() (*state.State, error) { return parseState(path) })
}

func parseState(path string) (*state.State, error) {
	text, err := readFile(path, StateLimit, fs.ModeNamedPipe)
	if err != nil {
		return nil, err
	}
	s, err := state.Decode(text)
	if err != nil {
		return nil, status.Usagef("read the state %s: %w", path, err)
	}
	if len(s.Namespaces) == 0 {
		return nil, status.Usagef(
			"read the state %s: there is no namespace in it; `harness diagnose --save FILE` writes one", path)
	}
	return s, nil
}

// Machine reads the namespaces of this machine: the harness's own, the named ones, and those of the requested
// processes.
func Machine(ctx context.Context, o observe.MachineOptions) (*state.State, error) {
	s, err := observe.Machine(ctx, o)
	if err != nil {
		return nil, status.Cannotf("%w", err)
	}
	return s, nil
}
