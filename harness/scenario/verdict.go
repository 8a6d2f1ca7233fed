package scenario

import (
	"errors"
	"time"
)

// Outcome is the outcome of a check, a section or a run.
type Outcome string

const (
	Pass    Outcome = "pass"
	Fail    Outcome = "fail"
	Blocked Outcome = "blocked" // needs a step that failed
	Skip    Outcome = "skip"    // not possible on this machine or with this driver
	Error   Outcome = "error"   // could not be run or decided, or the scenario itself is wrong
	// Those of a case in a run:
	XFail  Outcome = "xfail"   // failed, as an expectation says that it does
	XPass  Outcome = "xpass"   // passed, although an expectation says that it fails
	Flaky  Outcome = "flaky"   // failed, and passed when it was played again, or the other way round
	NotRun Outcome = "not run" // the run, or the guest, ended before
)

// Outcomes are all outcomes, the worst first: a run of several cases is as good as the worst of them. The harness or
// the machine that broke comes before what it found.
var Outcomes = []Outcome{Error, Fail, XPass, Flaky, NotRun, Blocked, XFail, Skip, Pass}

// Bad reports whether a case with this outcome keeps a run from passing. Blocked and not run are no success: nobody
// knows what they would have said. An outcome that is not known is bad.
func (o Outcome) Bad() bool {
	switch o {
	case Pass, XFail, Skip:
		return false
	}
	return true
}

// Verdict is the result of one claim, with both sides of the comparison in words.
type Verdict struct {
	Outcome  Outcome `json:"outcome"`
	Expected string  `json:"expected,omitempty"`
	Found    string  `json:"found,omitempty"`
	// Reason is the reason for skip, blocked or error.
	Reason string `json:"reason,omitempty"`
}

// CheckResult is the verdict of one check of a section.
type CheckResult struct {
	Line  int    `json:"line"`
	Text  string `json:"text"`
	Phase string `json:"phase"` // before, after, repaired
	Verdict
	// Hint is what the author tells a learner if the check is not true. It is set if it is not.
	Hint   string        `json:"hint,omitempty"`
	Waited time.Duration `json:"waited_ns"`
}

// Exchange is one command of a transcript and its result.
type Exchange struct {
	Line int `json:"line"`
	// Netns is the namespace in which the command ran, for messages; "" is the host.
	Netns string `json:"netns,omitempty"`
	// Command is the text in the scenario. Argv is the program that ran; it is empty for a netlink request.
	Command string   `json:"command"`
	Argv    []string `json:"argv,omitempty"`
	// By is what ran the command: Output and Status are its own.
	By By `json:"by,omitempty"`
	// Output is standard output and standard error, together.
	Output string `json:"output,omitempty"`
	Status int    `json:"status"`
	// Stderr is what of Output is from standard error, if the command asked for that (Command.Apart).
	Stderr string `json:"-"`
	// Errno is the name of the kernel's error, as received by the netlink driver; "" if there was none or it is
	// unknown.
	Errno string `json:"errno,omitempty"`
	// Message is the text of the kernel's extended acknowledgement, or another message of the driver.
	Message  string        `json:"message,omitempty"`
	Duration time.Duration `json:"duration_ns"`
	// Note is what is wrong with the result (status, output, errno, a change of state), or "".
	Note string `json:"note,omitempty"`
}

// By is what ran a command.
type By string

const (
	Named   By = "program" // the program that the command names
	Busybox By = "busybox" // busybox, in place of iproute2's ip or ping
	Harness By = "harness" // the harness itself, by netlink or before it could start a program
)

// SectionKind is set-up, step or mistake.
type SectionKind string

const (
	SetupSection   SectionKind = "setup"
	StepSection    SectionKind = "step"
	MistakeSection SectionKind = "mistake"
)

// SectionResult is the result of one step or mistake with one driver.
type SectionResult struct {
	Scenario string      `json:"scenario"`
	Driver   string      `json:"driver"`
	Kind     SectionKind `json:"kind"`
	// Step is the number of the step, from 1; Mistake the number of the mistake in it, from 1, or 0.
	Step    int    `json:"step"`
	Mistake int    `json:"mistake,omitempty"`
	Title   string `json:"title"`
	File    string `json:"file"`
	Line    int    `json:"line"`
	// Points are what a learner gets for a step that passes.
	Points int `json:"points,omitempty"`

	Outcome Outcome `json:"outcome"`
	// Problems are the reasons for a failure or an error, one sentence each, with their lines.
	Problems []Problem `json:"problems,omitempty"`
	// Reason is the reason for skip or blocked.
	Reason string `json:"reason,omitempty"`
	// Missing are the missing programs because of which it was skipped. With all of them it can be played.
	Missing []string `json:"missing,omitempty"`
	// Lacking are the features because of which it was skipped, which this machine lacks.
	Lacking []string `json:"lacking,omitempty"`
	// Excluded are the blocks that would be for this driver and are not for this machine, one sentence each.
	Excluded   []string      `json:"excluded,omitempty"`
	Checks     []CheckResult `json:"checks,omitempty"`
	Transcript []Exchange    `json:"transcript,omitempty"`
	Duration   time.Duration `json:"duration_ns"`
}

// Problem is a fault at a line of a scenario file.
type Problem struct {
	File    string `json:"file,omitempty"`
	Line    int    `json:"line,omitempty"`
	Message string `json:"message"`
	// Expected and Found are the two sides of a comparison. A problem with a check has only Found, since its message
	// quotes the check.
	Expected string `json:"expected,omitempty"`
	Found    string `json:"found,omitempty"`
	// Hint is what the author of a check tells a learner for whom it is not true.
	Hint string `json:"hint,omitempty"`
	// Diagnosis is the cause if the problem is that a namespace does not reach an address: the cause, its evidence and
	// the fix.
	Diagnosis []string `json:"diagnosis,omitempty"`
	// Limit is set if the problem is due to a limit of the machine.
	Limit bool `json:"limit,omitempty"`
}

// CannotSay is the error of a driver that does not implement a command. Word is the first word that it does not know.
type CannotSay struct {
	Driver, Word string
	// Why says more, or is "".
	Why string
}

func (e *CannotSay) Error() string {
	message := e.Driver + " driver cannot say " + e.Word
	if e.Why != "" {
		message += ": " + e.Why
	}
	return message
}

// Unavailable is the error if this machine lacks something that a command needs, such as a program. The section is
// skipped.
type Unavailable struct {
	Reason string
	// Programs are the missing programs, Features the features that this machine lacks; nil if the reason is another
	// one.
	Programs, Features []string
}

func (e *Unavailable) Error() string { return e.Reason }

// Lacks reports whether an error says that something is lacking here: it wraps an *Unavailable or a *CannotSay.
func Lacks(err error) bool {
	var unavailable *Unavailable
	var cannotSay *CannotSay
	return errors.As(err, &unavailable) || errors.As(err, &cannotSay)
}

// AddProblem adds a problem and worsens the outcome: an error outweighs a failure, a failure everything else.
func (r *SectionResult) AddProblem(o Outcome, p Problem) {
	if p.File == "" {
		p.File = r.File
	}
	r.Problems = append(r.Problems, p)
	if r.Outcome != Error {
		r.Outcome = o
	}
}

// Err is the problems of a section as an error, nil if there are none.
func (r *SectionResult) Err() error {
	if len(r.Problems) == 0 {
		return nil
	}
	return Problems(r.Problems)
}
