// Package reports is the model of a run and its reports: one sink for each format, in one file each. It may be imported
// by the command line and by internal/specrun; ARCHITECTURE.md lists its own imports. It never runs anything.
package reports

import (
	"time"

	"netnscheck/harness/scenario"
)

// Run is the complete result of a run: every planned section is in it.
type Run struct {
	Started    time.Time     `json:"started"`
	Duration   time.Duration `json:"duration_ns"`
	Hostname   string        `json:"hostname,omitempty"`
	Properties []Property    `json:"properties"`
	// Guests are the virtual machines in which the suites were played; none if they were played on this machine.
	Guests []Guest `json:"guests,omitempty"`
	Suites []Suite `json:"suites"`
	// LeftOut lists what was not played because a program is missing. Install is the command by which root installs all
	// of them, "" if no package or no package manager is known.
	LeftOut []LeftOut `json:"left_out,omitempty"`
	Install string    `json:"install,omitempty"`
	// Shard is the part of the plan that was played, nil if it was the whole.
	Shard *Shard `json:"shard,omitempty"`
	// Unable is the reason why the machine could not run anything, "" if it could. Cut means that the run was cut short
	// by something other than its cases.
	Unable string `json:"unable,omitempty"`
	Cut    bool   `json:"cut,omitempty"`
	// Unfinished means that the run has not reached the end of its reports: they contain nothing but a problem.
	Unfinished bool `json:"unfinished,omitempty"`
	// Problems are faults of the run itself, such as an interruption or a worker that died.
	Problems []string `json:"problems,omitempty"`
	// Unmet is how many of the problems say that this machine did not meet a demand (--require, --max-skips).
	Unmet int `json:"unmet,omitempty"`
	// Leftovers are namespaces, processes and the like that were left behind on the host.
	Leftovers []string `json:"leftovers,omitempty"`
}

// unfinished replaces an old report while a run goes on; it stays if the run is killed.
func unfinished() *Run {
	return &Run{
		Started: time.Now(), Properties: []Property{}, Suites: []Suite{}, Unfinished: true,
		Problems: []string{"the run did not finish: it was killed, or it goes on"},
	}
}

// Property is a fact about the machine or the run: kernel, architecture, iproute2, busybox, seed, sandbox, privilege,
// pace.
type Property struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Pace is the name of the property that tells how many times as long as usual the machine takes for the work of a lab.
// All limits for waiting were as many times as long.
const Pace = "pace"

// slow is the pace of a machine that is slower than usual, "" for others.
func (r *Run) slow() string {
	for _, p := range r.Properties {
		if p.Name == Pace && p.Value != "1.0" {
			return p.Value
		}
	}
	return ""
}

// Suite is one scenario with one driver, or one hand-written suite.
type Suite struct {
	ID     string `json:"id"` // scenario id, or the suite's own
	Title  string `json:"title"`
	Driver string `json:"driver,omitempty"`
	// Guest is the name of the guest in which it was played (Run.Guests), "" for this machine.
	Guest  string   `json:"guest,omitempty"`
	File   string   `json:"file,omitempty"`
	Labels []string `json:"labels,omitempty"`
	// Absent is why all cases are skipped, if this machine does not have the driver.
	Absent string `json:"absent,omitempty"`
	Points int    `json:"points,omitempty"` // of the whole scenario
	// Variables are those of the scenario, with the values that it was played with.
	Variables []Property `json:"variables,omitempty"`
	// Again is a command of a shell that plays the suite again, "" if none is known; see Suite.PlayAgain.
	Again   string    `json:"again,omitempty"`
	Started time.Time `json:"started"`
	Cases   []Case    `json:"cases"`
}

// Case is one step or mistake of a scenario, or one spec of a hand-written suite.
type Case struct {
	Name string `json:"name"`
	scenario.SectionResult
	// Attempts are all plays of a case that was played more than once, in their order. Outcome is then that over all of
	// them; problems, checks and transcript of the case itself are those of the first play that did not pass, or of the
	// first one if all passed. A case that was played once has none.
	Attempts []Attempt `json:"attempts,omitempty"`
	// Expectation is the entry of the user's expectations that says that this case fails, nil if none does. Where it
	// decided, the outcome is xfail or xpass, Reason says so in a sentence, and the problems are those of the failure.
	Expectation *Expectation `json:"expectation,omitempty"`
	// Evidence is the path of the folder with the evidence about a case that failed, as the run was told it; "" if
	// there is none.
	Evidence string `json:"evidence,omitempty"`
}

// Attempt is one play of a case that was played more than once, each in a lab of its own. Of a play that passed only
// the outcome and the duration are kept.
type Attempt struct {
	Outcome    scenario.Outcome       `json:"outcome"`
	Problems   []scenario.Problem     `json:"problems,omitempty"`
	Reason     string                 `json:"reason,omitempty"`
	Checks     []scenario.CheckResult `json:"checks,omitempty"`
	Transcript []scenario.Exchange    `json:"transcript,omitempty"`
	Duration   time.Duration          `json:"duration_ns"`
}

// Expectation is an entry of a file of expectations: it says why a case is expected to fail.
type Expectation struct {
	File    string `json:"file"`
	Line    int    `json:"line"`
	Reason  string `json:"reason"`
	Link    string `json:"link,omitempty"`
	Expires string `json:"expires,omitempty"` // a date: the last day on which the entry is valid
}

// Name is the suite's name in reports: its id, driver and guest, without spaces or labels, so that it is the same from
// run to run: `veth-pair`, `veth-pair.netlink`, `veth-pair.netlink@6.12`.
func (s *Suite) Name() string {
	name := s.ID
	if s.Driver != "" {
		name += "." + s.Driver
	}
	if s.Guest != "" {
		name += "@" + s.Guest
	}
	return name
}

// Counts are the numbers of cases by outcome.
type Counts struct{ Pass, XFail, Skip, Blocked, NotRun, Flaky, XPass, Fail, Error int }

// Total is the number of cases.
func (c Counts) Total() int {
	return c.Pass + c.XFail + c.Skip + c.Blocked + c.NotRun + c.Flaky + c.XPass + c.Fail + c.Error
}

// Add adds the counts of other cases.
func (c *Counts) Add(other Counts) {
	for _, o := range scenario.Outcomes {
		*c.of(o) += *other.of(o)
	}
}

// Bad is the number of cases that keep the run from passing (scenario.Outcome.Bad).
func (c Counts) Bad() (n int) {
	for _, o := range scenario.Outcomes {
		if o.Bad() {
			n += *c.of(o)
		}
	}
	return n
}

// of is the number of cases with an outcome; one that is not known counts as an error.
func (c *Counts) of(o scenario.Outcome) *int {
	switch o {
	case scenario.Pass:
		return &c.Pass
	case scenario.XFail:
		return &c.XFail
	case scenario.Skip:
		return &c.Skip
	case scenario.Blocked:
		return &c.Blocked
	case scenario.NotRun:
		return &c.NotRun
	case scenario.Flaky:
		return &c.Flaky
	case scenario.XPass:
		return &c.XPass
	case scenario.Fail:
		return &c.Fail
	}
	return &c.Error
}

// Count counts the cases of a suite.
func (s *Suite) Count() Counts {
	var c Counts
	for i := range s.Cases {
		*c.of(s.Cases[i].Outcome)++
	}
	return c
}

// Duration is the sum of the durations of the suite's cases.
func (s *Suite) Duration() time.Duration {
	var d time.Duration
	for i := range s.Cases {
		d += s.Cases[i].Duration
	}
	return d
}

// Count counts the cases of a run.
func (r *Run) Count() Counts {
	var all Counts
	for i := range r.Suites {
		all.Add(r.Suites[i].Count())
	}
	return all
}
