// Package replay does a learner's work again, in a sandbox of its own, and finds out which steps of a scenario it does:
// the commands of a progress file, or a script. The command line starts it in its role; it may import lab and the
// packages behind it. It believes nothing that the work says or prints: only what the kernel shows while it runs, and
// when it has ended.
//
// After each command the open steps are looked at. A step is done if all its checks hold together: then, at the end of
// its own commands (those of a progress file belong to a step, and a script may say `# step 2`), or when all has ended.
// Steps are done in order; but one that is missed does not take the later ones with it: a later step is done all the
// same if its checks have become true since the beginning.
package replay

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"netnscheck/harness/fault"
	"netnscheck/harness/grade"
	"netnscheck/harness/internal/inside"
	"netnscheck/harness/internal/labworld"
	"netnscheck/harness/internal/sandbox"
	"netnscheck/harness/internal/session/shell"
	"netnscheck/harness/lab"
	"netnscheck/harness/scenario"
	"netnscheck/harness/sitting/progress"
)

// Question is the role that replays the work of one learner.
var Question = inside.Question[Request, Answer]{Name: "replay-of-a-learner", Answer: play}

// Request is what to replay.
type Request struct {
	Scenario *scenario.Scenario
	// Challenge is set if the learner looked for faults in the finished network of the scenario.
	Challenge *progress.Challenge `json:",omitempty"`
	Commands  []Command
	// Shell runs the commands: sh or bash.
	Shell string
	// Whole is set if the commands are the lines of one script, not commands that were typed one by one.
	Whole bool
	// Limit is how long they may take. The looks between them may take as long again.
	Limit time.Duration
}

// Command is one command of a progress file, or one line of a script.
type Command struct {
	Text string
	// Where it stands: an entry of the log or a line of the script.
	Where string
	// Step is the number of the step that it belongs to, from 1; 0 if it is not known.
	Step int
	// Terminal is the number of the terminal that it was typed in, Netns the namespace of its shell, if not the host.
	Terminal int    `json:",omitempty"`
	Netns    string `json:",omitempty"`
	// Interrupted is set if the command did not end by itself when it was typed.
	Interrupted bool `json:",omitempty"`
	// Solve is set if the lab has solved the step for the learner: its own commands run.
	Solve bool `json:",omitempty"`
}

// Answer is what was found.
type Answer struct {
	// Passed says of each step whether it is done; First is the first check that does not hold.
	Passed []bool
	First  *grade.Open
	// Trouble is what the work did wrong, Said the end of what it printed.
	Trouble, Said string
	// Late is set if a limit of time was met: with the machine to itself the same work might have got further.
	Late bool
	// Failed is why it could not be replayed; Lacks if this machine lacks something that the scenario requires.
	Failed string
	Lacks  bool
}

// After the work has ended, or its limit is over, the checks are judged for so long at most.
const judgement = 20 * time.Second

// Longest is how long a replay takes at most, if its commands may take so long.
func Longest(limit time.Duration) time.Duration { return 2*limit + judgement + 40*time.Second }

func play(ctx context.Context, r Request) (Answer, error) {
	l, err := start(ctx, &r)
	if err != nil {
		return Answer{Failed: err.Error(), Lacks: scenario.Lacks(err)}, nil
	}
	defer l.Close() // what it leaves, ends with the sandbox
	p := &player{Request: r, lab: l, shells: map[place]*typist{}}
	if err := p.furnish(); err != nil {
		return Answer{Failed: err.Error()}, nil
	}
	j, err := newJudge(ctx, l, r.Scenario)
	if err != nil {
		return Answer{Failed: err.Error()}, nil
	}
	defer j.live.Close()
	p.judge = j
	trouble := p.run(ctx)
	a := Answer{Said: p.said()}
	if trouble != nil {
		a.Trouble = trouble.Error()
	}
	last, cancel := context.WithTimeoutCause(ctx, judgement, errJudgement)
	defer cancel()
	a.First = j.last(last)
	a.Passed, a.Late = j.passed, p.late || last.Err() != nil
	if a.First != nil && a.Trouble == "" && p.status != 0 {
		a.Trouble = fmt.Sprintf("the script ended with status %d", p.status)
	}
	return a, nil
}

// start makes the lab in its starting state. Of a challenge the scenario becomes the page.
func start(ctx context.Context, r *Request) (*lab.Lab, error) {
	if r.Challenge == nil {
		return lab.Prepared(ctx, r.Scenario, lab.Options{})
	}
	c, err := lab.StartChallenge(ctx, r.Scenario, fault.Options(*r.Challenge), lab.Options{})
	if err != nil {
		return nil, err
	}
	r.Scenario = c.Page
	return c.Lab, nil
}

var (
	errLimit     = errors.New("its time was over")
	errJudgement = errors.New("what it left does not let its checks be judged in time")
)

// furnish adds the programs of a learner's lab.
func (p *player) furnish() error {
	err := labworld.Of(p.lab).InMounts(func() error {
		if err := os.MkdirAll(shell.Bin, 0o755); err != nil {
			return err
		}
		return os.Symlink(sandbox.ProgramPath, filepath.Join(shell.Bin, "sudo"))
	})
	if err != nil {
		return fmt.Errorf("prepare the lab: %w", err)
	}
	return nil
}
