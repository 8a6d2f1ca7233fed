package specrun

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"netnscheck/harness/internal/evidence"
	"netnscheck/harness/internal/untrusted"
	"netnscheck/harness/scenario"
)

// account records what a worker has reported about its unit. It accepts a message only where the plan expects it: a
// program that got hold of the worker's pipe can fake the result of a case, but cannot break the run, its report or the
// terminal.
type account struct {
	plan    *Planned
	job     Job
	started time.Time     // when the worker was started
	longest time.Duration // that anything may last; 0 for the age of the worker

	begun, ended map[place]bool
	running      *place // the case between its start and its end
	owed         bool   // the running case was reported as failed
	why          string // as the worker says
	failed       bool   // a failure was reported
	closed       bool   // the last message was received

	size, alive, kept, leftovers int

	gathered *evidence.Bundle // about the running case, or the last one
	weight   int              // the bytes of the messages about it
}

func newAccount(p *Planned, job Job) *account {
	return &account{plan: p, job: job, started: time.Now(), begun: map[place]bool{}, ended: map[place]bool{}}
}

// read takes one line. Its errors follow the words "the worker sent".
func (a *account) read(line []byte) (message, error) {
	var m message
	if err := untrusted.Decode(line, &m); err != nil {
		return m, fmt.Errorf("a message that cannot be decoded: %w", err)
	}
	switch m.Event {
	case eventAlive:
	case eventEvidence, eventLacking, eventPlayed:
		if a.weight += len(line); a.weight > evidenceSize {
			return m, fmt.Errorf("more than %d MiB of evidence about a case", evidenceSize>>20)
		}
	default:
		if a.size += len(line); a.size > unitSize(a.plan.Cases()) {
			return m, fmt.Errorf("more than %d KiB for %d cases", unitSize(a.plan.Cases())>>10, a.plan.Cases())
		}
	}
	if a.closed {
		return m, fmt.Errorf("the message %q after its last one", m.Event)
	}
	if err := m.holdsOnly(); err != nil {
		return m, err
	}
	return m, a.take(&m)
}

// holdsOnly checks that the message has the fields of its event and no others.
func (m *message) holdsOnly() error {
	wants := map[event][]string{
		eventAlive: nil, eventDone: nil, eventFailed: {"text"}, eventUnable: {"text"}, eventLeftover: {"text"},
		eventStart: {"key"}, eventKept: {"threads"}, eventEnd: {"key", "case"},
		eventEvidence: {"key", "file", "data"}, eventLacking: {"key", "file", "text"}, eventPlayed: {"key", "lines"},
	}
	keys, ok := wants[m.Event]
	if !ok {
		return fmt.Errorf("a message of an unknown kind: %.64q", m.Event)
	}
	for _, k := range []struct {
		name string
		has  bool
	}{{"key", m.Key != ""}, {"case", m.Case != nil}, {"threads", len(m.Threads) > 0}, {"text", m.Text != ""},
		{"file", m.File != ""}, {"data", len(m.Data) > 0}, {"lines", len(m.Lines) > 0}} {
		switch wanted := slices.Contains(keys, k.name); {
		case wanted && !k.has:
			return fmt.Errorf("a message %q without %q", m.Event, k.name)
		case !wanted && k.has:
			return fmt.Errorf("a message %q with %q", m.Event, k.name)
		}
	}
	if m.Errno != 0 && m.Event != eventUnable {
		return fmt.Errorf("a message %q with an errno", m.Event)
	}
	if m.Interrupted && m.Event != eventEnd {
		return fmt.Errorf("a message %q that was interrupted", m.Event)
	}
	return nil
}

// take checks a message against the earlier ones, and records it.
func (a *account) take(m *message) error {
	switch m.Event {
	case eventAlive:
		if a.alive++; a.alive > 60+2*int(time.Since(a.started)/beat) {
			return fmt.Errorf("too many messages %q: %d in %v", m.Event, a.alive, time.Since(a.started).Round(beat))
		}
	case eventUnable:
		if !a.job.Rehearse || len(a.begun) > 0 {
			return fmt.Errorf("a message %q that was not asked for", m.Event)
		}
		a.closed = true
	case eventStart:
		return a.start(m.Key)
	case eventFailed:
		if a.running == nil {
			return fmt.Errorf("a failure while no case runs")
		}
		a.owed, a.failed = true, true
		a.why = untrusted.Shown(m.Text)
	case eventKept:
		return a.keep(m.Threads)
	case eventEvidence, eventLacking, eventPlayed:
		return a.gather(m)
	case eventEnd:
		return a.end(m)
	case eventLeftover:
		if a.leftovers++; a.leftovers > 4*a.plan.Cases()+16 {
			return fmt.Errorf("%d leftovers of %d cases", a.leftovers, a.plan.Cases())
		}
		m.Text = untrusted.Shown(m.Text)
	case eventDone:
		if a.running != nil {
			return fmt.Errorf("its last message while a case runs")
		}
		a.closed = true
	}
	return nil
}

func (a *account) start(key string) error {
	at, ok := a.plan.at[key]
	switch {
	case !ok:
		return fmt.Errorf("the start of a case that is not in the plan: %.256q", key)
	case a.running != nil:
		return fmt.Errorf("the start of “%s” while “%s” runs", a.name(at), a.name(*a.running))
	case a.begun[at]:
		return fmt.Errorf("a second start of “%s”", a.name(at))
	}
	a.begun[at], a.running = true, &at
	a.gathered, a.weight = evidence.NewBundle(), 0
	return nil
}

func (a *account) name(at place) string { return a.plan.Suites[at.suite].Cases[at.index].Name }

// keep accepts kept labs only if they were asked for and something has failed. Only thread ids come from the worker:
// the hints for the user are made from what this process knows.
func (a *account) keep(threads []int) error {
	const highestPID = 1 << 22 // PID_MAX_LIMIT, include/linux/threads.h
	a.kept += len(threads)
	switch {
	case !a.job.Keep:
		return fmt.Errorf("a message about kept labs without --keep")
	case !a.failed:
		return fmt.Errorf("a message about kept labs before any failure")
	case a.kept > a.plan.Cases()+1:
		return fmt.Errorf("a message about %d kept labs of %d cases", a.kept, a.plan.Cases())
	}
	for _, t := range threads {
		if t < 1 || t > highestPID {
			return fmt.Errorf("a message about kept labs with the thread id %d", t)
		}
	}
	return nil
}

func (a *account) end(m *message) error {
	at, ok := a.plan.at[m.Key]
	switch {
	case !ok:
		return fmt.Errorf("the end of a case that is not in the plan: %.256q", m.Key)
	case a.ended[at]:
		return fmt.Errorf("a second end of “%s”", a.name(at))
	case a.running == nil || *a.running != at:
		return fmt.Errorf("the end of “%s”, which is not running", a.name(at))
	}
	if err := a.result(m.Case, at); err != nil {
		return fmt.Errorf("an impossible result of “%s”: %w", a.name(at), err)
	}
	good := m.Case.Outcome == scenario.Pass || m.Case.Outcome == scenario.Skip
	if a.owed && good && !m.Interrupted {
		return fmt.Errorf("the outcome %s of “%s” after its failure", m.Case.Outcome, a.name(at))
	}
	a.failed = a.failed || !good
	a.ended[at], a.running, a.owed = true, nil, false
	return nil
}

// result checks the result of a case, then makes its texts printable and truncates them.
func (a *account) result(c *scenario.SectionResult, at place) error {
	planned := a.plan.Suites[at.suite].Cases[at.index].SectionResult
	if err := sameSection(c, planned); err != nil {
		return err
	}
	if !slices.Contains(knownOutcomes, c.Outcome) {
		return fmt.Errorf("the unknown outcome %.64q", c.Outcome)
	}
	within := boundsOf(a.plan.Job.Scenario, &planned)
	for _, n := range []struct {
		what        string
		number, max int
	}{
		{"checks", len(c.Checks), within.checks},
		{"commands", len(c.Transcript), within.commands},
		{"problems", len(c.Problems), within.problems},
		{"excluded blocks", len(c.Excluded), within.commands},
		{"missing programs", len(c.Missing), within.words*within.commands + 16},
		{"lacking features", len(c.Lacking), 16},
	} {
		if n.number > n.max {
			return fmt.Errorf("%d %s, at most %d are possible", n.number, n.what, n.max)
		}
	}
	if err := cmp.Or(a.numbers(c, within), passed(c, a.plan.Job.Scenario, &planned)); err != nil {
		return err
	}
	c.Rewrite(untrusted.Shown)
	return nil
}

// passed checks that a section of a scenario that is said to have passed says so of each of its checks.
func passed(c *scenario.SectionResult, sc *scenario.Scenario, planned *scenario.SectionResult) error {
	if sc == nil || c.Outcome != scenario.Pass {
		return nil
	}
	checks := sc.Steps[planned.Step-1].Checks
	if planned.Mistake != 0 {
		checks = sc.Steps[planned.Step-1].Mistakes[planned.Mistake-1].Checks
	}
	after := 0
	for _, k := range c.Checks {
		if k.Outcome != scenario.Pass && k.Outcome != scenario.Skip {
			return fmt.Errorf("it passed with a check that is %s, line %d", k.Outcome, k.Line)
		}
		if k.Phase == "after" {
			after++
		}
	}
	switch {
	case after < len(checks):
		return fmt.Errorf("it passed with %d of its %d checks", after, len(checks))
	case len(c.Problems) > 0:
		return fmt.Errorf("it passed with %d problems", len(c.Problems))
	}
	return nil
}

// knownOutcomes are those that a worker may tell. The others are decided outside.
var knownOutcomes = []scenario.Outcome{scenario.Pass, scenario.Fail, scenario.Blocked, scenario.Skip, scenario.Error,
	scenario.NotRun}

// section identifies the section of a result.
type section struct {
	scenario, driver string
	kind             scenario.SectionKind
	step, mistake    int
	title, file      string
	line, points     int
}

func sectionOf(r scenario.SectionResult) section {
	return section{r.Scenario, r.Driver, r.Kind, r.Step, r.Mistake, r.Title, r.File, r.Line, r.Points}
}

// sameSection checks that a result belongs to the planned section. An empty one is accepted: a spec that panicked
// reports no section.
func sameSection(r *scenario.SectionResult, planned scenario.SectionResult) error {
	said := sectionOf(*r)
	if said == (section{}) {
		return nil
	}
	planned.Rewrite(untrusted.Shown)
	if want := sectionOf(planned); said != want {
		return fmt.Errorf("it belongs to %.256q, not to %.256q", fmt.Sprint(said), fmt.Sprint(want))
	}
	return nil
}

// bounds are the largest numbers that the result of a section can have.
type bounds struct{ checks, commands, words, problems int }

// boundsOf derives the bounds from the scenario: the checks of a section are judged before and after its commands, and
// a mistake also runs the commands of its fix and of its step and judges the step's checks.
func boundsOf(sc *scenario.Scenario, planned *scenario.SectionResult) bounds {
	const others = 16 // problems without a check or command
	b := bounds{problems: others}
	if sc == nil {
		return b
	}
	add := func(blocks []scenario.Block, checks int) {
		b.checks += checks
		for _, block := range blocks {
			b.commands += len(block.Commands)
			for _, cmd := range block.Commands {
				b.words = max(b.words, len(cmd.Argv))
			}
		}
	}
	step := &sc.Steps[planned.Step-1]
	if planned.Mistake == 0 {
		add(step.Blocks, 2*len(step.Checks))
	} else {
		m := &step.Mistakes[planned.Mistake-1]
		add(m.Blocks, 2*len(m.Checks))
		add(m.Fix, 0)
		add(step.Blocks, len(step.Checks))
	}
	b.words += others // `ip netns exec …` and the like before them
	b.problems += b.checks + 2*b.commands
	return b
}

// numbers checks the numbers, and the strings that come from a fixed set.
func (a *account) numbers(c *scenario.SectionResult, within bounds) error {
	if err := a.lasted("it", c.Duration); err != nil {
		return err
	}
	const longestDiagnosis = 256
	for _, p := range c.Problems {
		if err := isLine(p.Line); err != nil {
			return err
		}
		if len(p.Diagnosis) > longestDiagnosis {
			return fmt.Errorf("a diagnosis of %d lines", len(p.Diagnosis))
		}
	}
	for _, k := range c.Checks {
		if err := cmp.Or(isLine(k.Line), a.lasted("a check", k.Waited)); err != nil {
			return err
		}
		if !slices.Contains(knownOutcomes, k.Outcome) {
			return fmt.Errorf("the unknown outcome %.64q of a check", k.Outcome)
		}
	}
	for _, x := range c.Transcript {
		if err := cmp.Or(isLine(x.Line), a.lasted("a command", x.Duration)); err != nil {
			return err
		}
		if len(x.Argv) > within.words {
			return fmt.Errorf("a command of %d words, where there can be %d", len(x.Argv), within.words)
		}
		if !slices.Contains([]scenario.By{"", scenario.Named, scenario.Busybox, scenario.Harness}, x.By) {
			return fmt.Errorf("an answer by %.64q", x.By)
		}
	}
	return nil
}

// lasted checks a duration: nothing lasts longer than the worker has existed.
func (a *account) lasted(what string, d time.Duration) error {
	if a.longest > 0 {
		if d < 0 || d > a.longest {
			return fmt.Errorf("%s lasted %v", what, d)
		}
		return nil
	}
	if longest := time.Since(a.started) + beat; d < 0 || d > longest {
		return fmt.Errorf("%s lasted %v, but the worker is only %v old", what, d, longest.Round(beat))
	}
	return nil
}

func isLine(n int) error {
	if n < 0 || n > 1<<24 {
		return fmt.Errorf("the line number %d", n)
	}
	return nil
}
