package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"netnscheck/harness/internal/sandbox"
	"netnscheck/harness/lab"
	"netnscheck/harness/scenario"
	"netnscheck/harness/state"
)

// labStateWord as the only argument makes this program play a scenario in the sandbox and tell the state that it leaves.
const labStateWord = "state-of-a-lab"

// labJob is what is played: the first so many steps of a scenario.
type labJob struct {
	File, Source string
	Steps        int
}

// labAnswer is what came of it. Lacks says that it is for want of something on this machine.
type labAnswer struct {
	State *state.State
	Error string
	Lacks bool
}

// labState plays a scenario in a sandbox and returns the state after its first so many steps. What goes wrong inside is
// told on stderr.
func labState(ctx context.Context, stderr io.Writer, sc *scenario.Scenario, steps int) (*state.State, error) {
	read, write, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer read.Close()
	job, err := json.Marshal(labJob{sc.File, sc.Source, steps})
	if err != nil {
		return nil, err
	}
	p, err := sandbox.Start(ctx, sandbox.Command{
		Args: []string{os.Args[0], labStateWord}, Stdin: strings.NewReader(string(job)), Stderr: stderr,
		ExtraFiles: []*os.File{write},
	})
	write.Close()
	if err != nil {
		return nil, cannot("make a lab of %s: %w", sc.ID, err)
	}
	var answer labAnswer
	err = json.NewDecoder(read).Decode(&answer)
	if err := errors.Join(err, p.Wait(), ctx.Err()); err != nil {
		return nil, fmt.Errorf("make a lab of %s: %w", sc.ID, err)
	}
	switch {
	case answer.Lacks:
		return nil, cannot("%s", answer.Error)
	case answer.Error != "":
		return nil, errors.New(answer.Error)
	}
	return answer.State, nil
}

func isLabState(args []string) bool { return len(args) == 2 && args[1] == labStateWord }

// tellLabState is all that the program does inside.
func tellLabState() int {
	var job labJob
	err := json.NewDecoder(os.Stdin).Decode(&job)
	if err == nil {
		err = json.NewEncoder(os.NewFile(resultsFD, "results")).Encode(playForState(job))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "harness: tell the state of a lab:", err)
		return statusFailed
	}
	return statusPassed
}

func playForState(job labJob) labAnswer {
	sc, err := scenario.Parse(job.File, []byte(job.Source))
	if err != nil {
		return labAnswer{Error: err.Error()}
	}
	s, err := lab.After(context.Background(), sc, job.Steps)
	if err != nil {
		var unavailable *scenario.Unavailable
		var cannotSay *scenario.CannotSay
		return labAnswer{Error: err.Error(), Lacks: errors.As(err, &unavailable) || errors.As(err, &cannotSay)}
	}
	return labAnswer{State: s}
}
