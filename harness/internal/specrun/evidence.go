package specrun

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"netnscheck/harness/internal/evidence"
	"netnscheck/harness/internal/untrusted"
	"netnscheck/harness/scenario"
	"netnscheck/reports"
)

// Failure is a case that failed, with what is known of it.
type Failure struct {
	Job      *Job
	Suite    *reports.Suite
	Case     *reports.Case
	Evidence *evidence.Bundle
}

// evidence sends what is known of the case that runs.
func (w *worker) evidence(id string, b *evidence.Bundle) {
	if len(b.Lines) > 0 {
		w.tell(message{Event: eventPlayed, Key: id, Lines: b.Lines})
	}
	for _, f := range evidence.Files {
		for piece := range slices.Chunk(b.Files[f.Name], pieceSize) {
			w.tell(message{Event: eventEvidence, Key: id, File: f.Name, Data: piece})
		}
		if why := b.Lacks[f.Name]; why != "" {
			w.tell(message{Event: eventLacking, Key: id, File: f.Name, Text: why})
		}
	}
}

// gather takes a message with evidence about the running case. Nothing of it becomes the name of a file or a word of a
// script.
func (a *account) gather(m *message) error {
	at, ok := a.plan.at[m.Key]
	captured := slices.Contains(a.job.Capture, m.Key)
	switch {
	case !a.job.Evidence && !captured:
		return fmt.Errorf("a message %q that was not asked for", m.Event)
	case !ok || a.running == nil || *a.running != at:
		return fmt.Errorf("evidence about a case that is not running: %.256q", m.Key)
	case m.File != "" && !evidence.FromSandbox(m.File):
		return fmt.Errorf("a file that is none of the evidence: %.64q", m.File)
	case m.File != "" && (m.File == evidence.Packets) != captured:
		return fmt.Errorf("the file %s, which was not asked for", m.File)
	}
	switch m.Event {
	case eventEvidence:
		a.gathered.Files[m.File] = append(a.gathered.Files[m.File], m.Data...)
	case eventLacking:
		a.gathered.Lacks[m.File] = untrusted.Shown(m.Text)
	case eventPlayed:
		return a.played(m.Lines)
	}
	return nil
}

// played takes the lines of commands: each is one of the scenario, and has been played once.
func (a *account) played(lines []int) error {
	known := map[int]bool{}
	for block := range a.plan.Job.Scenario.Blocks() {
		for _, cmd := range block.Commands {
			known[cmd.Line] = true
		}
	}
	for _, line := range lines {
		if !known[line] {
			return fmt.Errorf("a command in line %d, where there is none, or a second time", line)
		}
		delete(known, line)
	}
	a.gathered.Lines = lines
	return nil
}

// gather keeps the evidence about a case that ends, with its texts made printable. Only of cases that fail is any sent.
func (u *unitRun) gather(at place) {
	b := u.account.gathered
	if len(b.Files)+len(b.Lacks)+len(b.Lines) == 0 {
		return
	}
	for name, content := range b.Files {
		b.Files[name] = evidence.Printable(name, content)
	}
	if u.weight() > mostOfUnit {
		*b = *evidence.NewBundle()
		for _, f := range evidence.Files {
			b.Lack(f.Name, fmt.Sprintf("there is more than %d MiB of evidence about this scenario", mostOfUnit>>20))
		}
	}
	u.gathered[at] = b
}

// mostOfUnit is how much evidence about the cases of a unit is held, in bytes, with that of one case besides.
const mostOfUnit = 64 << 20

func (u *unitRun) weight() (n int) {
	for _, b := range u.gathered {
		for _, content := range b.Files {
			n += len(content)
		}
	}
	return n
}

// keepEvidence keeps the evidence about a case if it failed and nobody expects that.
func (u *unitRun) keepEvidence(at place) {
	b := u.gathered[at]
	delete(u.gathered, at)
	s := &u.suites[at.suite]
	c := &s.Cases[at.index]
	if u.Evidence == nil || c.Step == 0 || !wrong(c.Outcome) && c.Outcome != scenario.Flaky {
		return
	}
	if b == nil {
		b = u.told(at)
	}
	b.Lack(evidence.Packets, "the section was not played once more for them")
	switch log := u.logs[at]; {
	case len(log) > 0:
		text := []byte(strings.Join(log, "\n") + "\n")
		b.Files[evidence.KernelLog] = evidence.Printable(evidence.KernelLog, text)
	case u.Kernel == nil:
		b.Lack(evidence.KernelLog, "nobody read it")
	default:
		b.Lack(evidence.KernelLog, "nothing was seen of it meanwhile (kernel log: "+u.Kernel.Words()+")")
	}
	u.telling.Lock()
	defer u.telling.Unlock()
	folder, err := u.Evidence(Failure{&u.plan.Job, s, c, b})
	if err != nil {
		u.problems = append(u.problems, err.Error())
	}
	c.Evidence = folder
}

// told is the evidence about a case that has sent none, or not to its end.
func (u *unitRun) told(at place) *evidence.Bundle {
	b, why := evidence.NewBundle(), "the section ended before there was a lab"
	if a := u.account; a != nil && a.running != nil && *a.running == at {
		b, why = a.gathered, "the worker ended before the case did"
		for name, content := range b.Files {
			b.Files[name] = evidence.Printable(name, content)
		}
	}
	for _, f := range evidence.Files {
		if f.Sandbox && f.Name != evidence.Packets {
			b.Lack(f.Name, why)
		}
	}
	return b
}

// mostSecondPlays is how many units of a run are played a second time at most.
const mostSecondPlays = 10

// doubts tells whether a case that ended is to be played a second time, with its packets captured: if it failed and
// nobody expects that. A capture in the first play could change what the case is about, since an open socket keeps a
// namespace alive. With FailFast the run is over.
func (u *unitRun) doubts(at place) bool {
	c := &u.suites[at.suite].Cases[at.index]
	return u.Evidence != nil && c.Step > 0 && wrong(c.Outcome) && !u.FailFast && !u.expected(at)
}

// secondPlay plays the doubted cases a second time. The first verdict stands; one that passes now is flaky.
func (u *unitRun) secondPlay(ctx context.Context) {
	if len(u.doubted) == 0 {
		return
	}
	for _, at := range u.doubted {
		if u.gathered[at] == nil {
			u.gathered[at] = u.told(at)
		}
	}
	why := ""
	switch n := u.seconds.Add(1); {
	case ctx.Err() != nil:
		why = "the run ended before the section could be played once more"
	case u.died != "" || u.limited:
		why = "the worker ended early, so the section was not played once more"
	case n > mostSecondPlays:
		why = fmt.Sprintf("%d scenarios of this run were played once more, which is the most", mostSecondPlays)
	default:
		why = u.playDoubted(ctx)
	}
	for _, at := range u.doubted {
		u.gathered[at].Lack(evidence.Packets,
			cmp.Or(why, "the section was played once more, and nobody captured its packets"))
	}
	for _, at := range u.waiting {
		u.settle(at)
	}
}

// playDoubted plays the doubted cases, and the same steps with the other drivers, since they are compared. It returns
// why that could not be done.
func (u *unitRun) playDoubted(ctx context.Context) (why string) {
	plan := Planned{Job: u.plan.Job, Suites: u.plan.Suites, at: map[string]place{}}
	plan.Job.Cases, plan.Job.Capture = nil, nil
	for _, id := range u.plan.Job.Cases {
		at := u.plan.at[id]
		c := u.suites[at.suite].Cases[at.index]
		switch {
		case slices.Contains(u.doubted, at):
			plan.Job.Capture = append(plan.Job.Capture, id)
		case c.Mistake != 0 || !u.doubtsStep(c.Step):
			continue
		}
		plan.Job.Cases = append(plan.Job.Cases, id)
		plan.at[id] = at
	}
	next := u.quietly(plan)
	next.work(ctx)
	u.leftovers = append(u.leftovers, next.leftovers...)
	for at, complaints := range next.accused {
		for _, p := range complaints {
			u.problems = append(u.problems, fmt.Sprintf("while %s was played once more: %s", u.nameOf(at), p.Message))
		}
	}
	for _, at := range u.doubted {
		c := &u.suites[at.suite].Cases[at.index]
		if second := &next.suites[at.suite].Cases[at.index]; next.held[at] && second.Outcome == scenario.Pass &&
			len(u.accused[at]) == 0 {
			c.Attempts = []reports.Attempt{attemptOf(c), attemptOf(second)}
			u.decide(c, false)
		}
		if b := next.gathered[at]; b != nil {
			maps.Copy(u.gathered[at].Files, b.Files)
			maps.Copy(u.gathered[at].Lacks, b.Lacks)
		}
	}
	if len(next.problems) > 0 {
		return "the section was played once more, and that went wrong: " + strings.Join(next.problems, "; ")
	}
	return ""
}

// doubtsStep tells whether a step is doubted, by whatever driver.
func (u *unitRun) doubtsStep(step int) bool {
	return slices.ContainsFunc(u.doubted, func(at place) bool {
		c := u.suites[at.suite].Cases[at.index]
		return c.Mistake == 0 && c.Step == step
	})
}
