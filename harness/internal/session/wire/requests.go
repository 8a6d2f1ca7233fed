package wire

import (
	"netnscheck/harness/sitting"
	"netnscheck/harness/sitting/progress"
)

// What can be asked of a lab.
const (
	View   = "view"   // where the learner is
	Check  = "check"  // the same, once everything was judged anew
	Hint   = "hint"   // the next hint
	Next   = "next"   // go on to the next step
	Solve  = "solve"  // run the commands of the step
	Reset  = "reset"  // begin anew, with the argument "step" the current step alone
	Map    = "map"    // the view with the state
	Why    = "why"    // why what is open does not work
	Log    = "log"    // the view and what was done so far
	Quit   = "quit"   // end the lab
	Watch  = "watch"  // a view with the state whenever something changes, until the connection ends
	Attach = "attach" // a shell on a new terminal
)

// StepAlone is the argument of Reset that begins the current step anew.
const StepAlone = "step"

// Request is a question to a lab.
type Request struct {
	Do   string
	Args []string `json:",omitempty"`
	// Open describes the terminal of Attach.
	Open *Open `json:",omitempty"`
}

// Reply is an answer of a lab. With an Error it has a Status, as the command line exits with.
type Reply struct {
	View *sitting.View `json:",omitempty"`
	// Text is Markdown.
	Text string `json:",omitempty"`
	// Log is what was done last, and Earlier how much before that.
	Log     []progress.Entry `json:",omitempty"`
	Earlier int              `json:",omitempty"`
	Error   string           `json:",omitempty"`
	Status  int              `json:",omitempty"`
	// More is set if another answer follows.
	More bool `json:",omitempty"`
}

// Ask is a request that came from outside, with a number for its answers.
type Ask struct {
	Number  uint64
	Request Request
	// End says that nobody waits for more answers.
	End bool `json:",omitempty"`
}

// Answer is an answer to the request with the number.
type Answer struct {
	Number uint64
	Reply  Reply
}
