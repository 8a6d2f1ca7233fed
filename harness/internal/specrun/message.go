package specrun

import (
	"bytes"
	"encoding/json"
	"fmt"
	"syscall"

	"netnscheck/harness/internal/untrusted"
	"netnscheck/harness/scenario"
)

// What comes out of a sandbox is not trusted: a scenario's program may have got hold of the worker's pipe. So a message
// is small, is read without more memory than that, and means something only where the plan expects it (see account).
//
// messageSize is how long one message may be, in bytes. The longest one of the catalogue has 20 KiB.
const messageSize = 256 << 10

// message is what a worker tells the outer process: one JSON object a line.
type message struct {
	Event event                   `json:"event"`
	Key   string                  `json:"key,omitempty"` // the id of a case
	Case  *scenario.SectionResult `json:"case,omitempty"`
	// Interrupted says that the case did not run, or not to its end, because the worker was told to stop.
	Interrupted bool `json:"interrupted,omitempty"`
	// Threads live in the labs that are kept, numbered as the worker sees them.
	Threads []int  `json:"threads,omitempty"`
	Text    string `json:"text,omitempty"`
	// Errno is the kernel's, behind Text; 0 when there is none.
	Errno syscall.Errno `json:"errno,omitempty"`
}

// event is what a message tells.
type event string

const (
	eventAlive    event = "alive"    // nothing but that
	eventUnable   event = "unable"   // Text, Errno: this machine cannot run the job; nothing else comes
	eventStart    event = "start"    // Key: the case runs
	eventFailed   event = "failed"   // the case that runs has failed; its end comes later
	eventKept     event = "kept"     // Threads
	eventEnd      event = "end"      // Key, Case, Interrupted
	eventLeftover event = "leftover" // Text
	eventDone     event = "done"     // nothing else comes
)

// reply is what the outer process tells a worker after its job: a lab that was kept may go. The end of the stream tells
// it to stop, so that a worker whose outer process was killed takes its labs down as well.
type reply struct {
	GoOn bool `json:"go_on"`
}

// unitSize is how much a worker may tell of a unit with so many cases, in bytes, beside that it is alive.
func unitSize(cases int) int { return (cases + 4) * messageSize }

// encode is the message as it travels. A case that is too long loses the ends of its texts, or else all but its
// outcome, which is an error then.
func encode(m message) ([]byte, error) {
	m.Text = untrusted.Shown(m.Text)
	for limit := untrusted.TextSize; ; limit /= 2 {
		if m.Case != nil {
			m.Case.Rewrite(func(text string) string { return untrusted.Cut(text, limit) })
		}
		var line bytes.Buffer
		to := json.NewEncoder(&line)
		to.SetEscapeHTML(false)
		if err := to.Encode(m); err != nil || line.Len() <= messageSize {
			return line.Bytes(), err
		}
		if c := m.Case; limit < minimalText {
			c.Outcome = scenario.Error
			c.Problems = []scenario.Problem{{File: c.File, Line: c.Line, Message: fmt.Sprintf(
				"tell what came of it: %d checks, %d commands and %d problems do not fit into a message of %d KiB",
				len(c.Checks), len(c.Transcript), len(c.Problems), messageSize>>10)}}
			c.Checks, c.Transcript = nil, nil
			limit = 2 * untrusted.TextSize // there is room for this
		}
	}
}

// minimalText is how short texts may be cut so that a message fits, in bytes.
const minimalText = 128
