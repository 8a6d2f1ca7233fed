package scenario

import "time"

// Outcome is what came of a check, a section or a run.
type Outcome string

const (
	Pass    Outcome = "pass"
	Fail    Outcome = "fail"
	Blocked Outcome = "blocked" // needs a step that failed
	Skip    Outcome = "skip"    // this machine or driver cannot, with the reason
	Error   Outcome = "error"   // could not be carried out, or the scenario itself is wrong
)

// Verdict is what came of one claim, with both sides of the comparison in words.
type Verdict struct {
	Outcome  Outcome `json:"outcome"`
	Expected string  `json:"expected,omitempty"`
	Found    string  `json:"found,omitempty"`
	// Reason says why an outcome is skip, blocked or error.
	Reason string `json:"reason,omitempty"`
}

// CheckResult is the verdict of one check of a section.
type CheckResult struct {
	Line  int    `json:"line"`
	Text  string `json:"text"`
	Phase string `json:"phase"` // before, after, repaired
	Verdict
	Waited time.Duration `json:"waited_ns"`
}

// Exchange is one command as it ran and what it answered: a line of the transcript.
type Exchange struct {
	Line int `json:"line"`
	// Netns is the namespace the command ran in, for messages; "" is the host.
	Netns string `json:"netns,omitempty"`
	// Command is the text as the scenario has it; Argv is what was executed, empty when it was a netlink request.
	Command string   `json:"command"`
	Argv    []string `json:"argv,omitempty"`
	// By is who answered; Output and Status are in its words.
	By By `json:"by,omitempty"`
	// Output is standard output and standard error through one pipe.
	Output string `json:"output,omitempty"`
	Status int    `json:"status"`
	// Errno is the name of the kernel's refusal as the netlink driver saw it, "" if there was none or it is unknown.
	Errno string `json:"errno,omitempty"`
	// Message is the kernel's extended acknowledgement or what else the driver says in words.
	Message  string        `json:"message,omitempty"`
	Duration time.Duration `json:"duration_ns"`
	// Note is why the exchange is wrong ("" when as expected): status, output, errno or a change of state.
	Note string `json:"note,omitempty"`
}

// By is who answered a command.
type By string

const (
	Named   By = "program" // the program that the command names
	Busybox By = "busybox" // busybox, in the place of iproute2's ip or ping
	Harness By = "harness" // the harness itself: by netlink, or because it has to be there before a program can be
)

// SectionKind tells a step from a mistake.
type SectionKind string

const (
	SetupSection   SectionKind = "setup"
	StepSection    SectionKind = "step"
	MistakeSection SectionKind = "mistake"
)

// SectionResult is what came of one step or mistake with one driver.
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

	Outcome Outcome `json:"outcome"`
	// Problems are the reasons of a failure or an error, one sentence each, with the line they belong to.
	Problems []Problem `json:"problems,omitempty"`
	// Reason says why the outcome is skip or blocked.
	Reason string `json:"reason,omitempty"`
	// Missing are the programs for want of which it was skipped: with all of them it could be played.
	Missing    []string      `json:"missing,omitempty"`
	Checks     []CheckResult `json:"checks,omitempty"`
	Transcript []Exchange    `json:"transcript,omitempty"`
	Duration   time.Duration `json:"duration_ns"`
}

// Problem is a fault at a line of a scenario file.
type Problem struct {
	File     string `json:"file,omitempty"`
	Line     int    `json:"line,omitempty"`
	Message  string `json:"message"`
	Expected string `json:"expected,omitempty"`
	Found    string `json:"found,omitempty"`
	// Diagnosis says why one namespace does not reach an address, where that is the problem: the cause, what proves it,
	// what mends it.
	Diagnosis []string `json:"diagnosis,omitempty"`
	// Limit says that a limit of the machine is behind it, and not the scenario.
	Limit bool `json:"limit,omitempty"`
}

// CannotSay is the error of a driver that has no way to carry a command out; Word is what it stumbled over.
type CannotSay struct{ Driver, Word string }

func (e *CannotSay) Error() string { return e.Driver + " driver cannot say " + e.Word }

// Unavailable is the error of a driver whose machine lacks something the command needs, such as a program. It skips.
type Unavailable struct {
	Reason string
	// Programs are those whose lack is the reason; nil where it is something else.
	Programs []string
}

func (e *Unavailable) Error() string { return e.Reason }

// AddProblem writes a problem down and worsens the outcome: an error outweighs a failure, a failure everything else.
func (r *SectionResult) AddProblem(o Outcome, p Problem) {
	if p.File == "" {
		p.File = r.File
	}
	r.Problems = append(r.Problems, p)
	if r.Outcome != Error {
		r.Outcome = o
	}
}

// Err is what went wrong in a section, as an error; nil when nothing did.
func (r *SectionResult) Err() error {
	if len(r.Problems) == 0 {
		return nil
	}
	return Problems(r.Problems)
}
