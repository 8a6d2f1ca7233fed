package reports

import (
	"encoding/json"
	"fmt"
	"io"
)

// The events of a run, in the order in which they are written: one plan, then the begin and end of each case as they
// happen, and one finish.
const (
	EventPlan   = "plan"
	EventBegin  = "begin"
	EventEnd    = "end"
	EventFinish = "finish"
)

// Event is a line of the report in the format events. It is written as it happens to a pipe, a terminal or standard
// output; a file has all of them at the end of the run. A program that reads them knows all cases that have ended,
// whatever becomes of the run: `harness vm` reads it from a guest.
type Event struct {
	Event string `json:"event"`
	// Version and Cases belong to a plan: Version of the format, and the number of planned cases.
	Version int `json:"version,omitempty"`
	Cases   int `json:"cases,omitempty"`
	// Suite is the name of the suite (Suite.Name) of a case that begins or ends, Name the case's name.
	Suite string `json:"suite,omitempty"`
	Name  string `json:"name,omitempty"`
	// Case is the result of a case that ends, as in the JSON report.
	Case *Case `json:"case,omitempty"`
	// Run is the run as it finishes, without its suites.
	Run *Run `json:"run,omitempty"`
}

// events is the sink for events: one JSON value a line, written at once.
type events struct{ out io.Writer }

func newEvents(out io.Writer, _ Options) Sink { return &events{out} }

func (e *events) tell(ev Event) error {
	text, err := json.Marshal(ev)
	if err != nil {
		return fmt.Errorf("encode the event %s: %w", ev.Event, err)
	}
	_, err = e.out.Write(append(text, '\n')) // one write for each line: a reader never sees half of one for long
	return err
}

func (e *events) Plan(suites []Suite) {
	n := 0
	for i := range suites {
		n += len(suites[i].Cases)
	}
	e.tell(Event{Event: EventPlan, Version: Version, Cases: n})
}

func (e *events) Begin(s *Suite, c *Case) {
	e.tell(Event{Event: EventBegin, Suite: s.Name(), Name: c.Name})
}

func (e *events) End(s *Suite, c *Case) {
	e.tell(Event{Event: EventEnd, Suite: s.Name(), Name: c.Name, Case: c})
}

func (e *events) Finish(r *Run) error {
	whole := *r
	whole.Suites = []Suite{}
	return e.tell(Event{Event: EventFinish, Run: &whole})
}

// AtOnce says that cases are told as they end, not in the order of the plan.
func (e *events) AtOnce() {}
