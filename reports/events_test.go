package reports

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestEvents: the lines have every case as the JSON report has it, at once, although an earlier one still runs.
func TestEvents(t *testing.T) {
	var out bytes.Buffer
	sink := newEvents(&out, Options{})
	s := &Sinks{told: []Sink{sink}, say: func(string, ...any) {}}
	r := sample()
	s.Plan(r.Suites)
	late := &r.Suites[1]
	s.Begin(*late, late.Cases[0])
	s.End(*late, late.Cases[0])

	var plan, begin, end Event
	lines := json.NewDecoder(&out)
	for _, e := range []*Event{&plan, &begin, &end} {
		if err := lines.Decode(e); err != nil {
			t.Fatal(err)
		}
	}
	if plan.Event != EventPlan || plan.Cases != 10 || plan.Version != Version {
		t.Errorf("the plan is %+v", plan)
	}
	if begin.Suite != "veth-pair.netlink" || begin.Name != late.Cases[0].Name {
		t.Errorf("the beginning is %+v", begin)
	}
	if diff := cmp.Diff(&late.Cases[0], end.Case); diff != "" {
		t.Errorf("the case that ended before those planned first (-want +got):\n%s", diff)
	}

	if err := sink.Finish(r); err != nil {
		t.Fatal(err)
	}
	var finish Event
	if err := lines.Decode(&finish); err != nil {
		t.Fatal(err)
	}
	if finish.Run == nil || len(finish.Run.Suites) > 0 || finish.Run.Duration != r.Duration || len(r.Suites) != 2 {
		t.Errorf("the end is %+v", finish)
	}
}
