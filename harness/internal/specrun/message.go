package specrun

import (
	"bytes"
	"encoding/json"
	"fmt"
	"syscall"

	"netnscheck/harness/internal/evidence"
	"netnscheck/harness/internal/untrusted"
	"netnscheck/harness/scenario"
)

// Messages from a sandbox are not trusted: a program of a scenario may have got hold of the worker's pipe. So a message
// is small, is read in bounded memory, and is accepted only where the plan expects it (account).
//
// messageSize is the maximum length of a message, in bytes. The longest one of the catalogue has 20 KiB.
const messageSize = 256 << 10

// message is a message from a worker to the outer process: one JSON object a line.
type message struct {
	Event event                   `json:"event"`
	Key   string                  `json:"key,omitempty"` // the id of a case
	Case  *scenario.SectionResult `json:"case,omitempty"`
	// Interrupted means that the case did not run to its end because the worker was told to stop.
	Interrupted bool `json:"interrupted,omitempty"`
	// Threads are the ids of the threads that live in the kept labs, as the worker sees them.
	Threads []int  `json:"threads,omitempty"`
	Text    string `json:"text,omitempty"`
	// File is the name of a file of evidence, Data a part of it. Lines are those of commands of the scenario.
	File  string `json:"file,omitempty"`
	Data  []byte `json:"data,omitempty"`
	Lines []int  `json:"lines,omitempty"`
	// Errno is the kernel's errno that Text describes; 0 if there is none.
	Errno syscall.Errno `json:"errno,omitempty"`
}

// event is the kind of a message.
type event string

const (
	eventAlive    event = "alive"    // sent every beat, without a field
	eventUnable   event = "unable"   // Text, Errno: this machine cannot run the job; the last message
	eventStart    event = "start"    // Key: the case begins
	eventFailed   event = "failed"   // Text: why the running case has failed; its end is sent later
	eventKept     event = "kept"     // Threads
	eventEvidence event = "evidence" // Key, File, Data: more of a file about the running case, which has failed
	eventLacking  event = "lacking"  // Key, File, Text: why there is no such file
	eventPlayed   event = "played"   // Key, Lines: of the commands that led to the end of the running case
	eventEnd      event = "end"      // Key, Case, Interrupted
	eventLeftover event = "leftover" // Text
	eventDone     event = "done"     // the last message
)

// reply is what the outer process sends a worker after its job: a kept lab may be taken down. The end of the stream
// tells the worker to stop, so a worker also cleans up if the outer process was killed.
type reply struct {
	GoOn bool `json:"go_on"`
}

// unitSize is how many bytes a worker may send for a unit with that many cases, besides its signs of life.
func unitSize(cases int) int { return (cases + 4) * messageSize }

// pieceSize is how much of a file is in one message, and evidenceSize how many bytes a worker may send about a case:
// its evidence in base64, and what is around it.
const (
	pieceSize    = 96 << 10
	evidenceSize = evidence.Size/3*4 + 1<<20
)

// encode formats a message. The texts of a case that is too long are truncated; if that is not enough, all but its
// outcome is dropped, which becomes an error.
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
				"report the result: %d checks, %d commands and %d problems do not fit into a message of %d KiB",
				len(c.Checks), len(c.Transcript), len(c.Problems), messageSize>>10)}}
			c.Excluded, c.Checks, c.Transcript = nil, nil, nil
			limit = 2 * untrusted.TextSize // there is room for this
		}
	}
}

// minimalText is the length below which texts are not truncated to make a message fit, in bytes.
const minimalText = 128
