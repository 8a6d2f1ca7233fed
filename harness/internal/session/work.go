package session

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"netnscheck/harness/internal/labworld"
	"netnscheck/harness/internal/netns"
	"netnscheck/harness/internal/program"
	"netnscheck/harness/internal/session/shell"
	"netnscheck/harness/internal/session/wire"
	"netnscheck/harness/internal/untrusted"
	"netnscheck/harness/lab"
	"netnscheck/harness/scenario"
	"netnscheck/harness/scenario/operation"
	"netnscheck/harness/sitting"
	"netnscheck/harness/sitting/progress"
)

// work takes note of what the learner did, and tells it to the process outside, for his progress. Without an entry it
// does so if the steps have changed.
func (s *session) work(e *progress.Entry) {
	past := s.desk().past()
	s.mu.Lock()
	defer s.mu.Unlock()
	if e == nil && slices.Equal(past, s.worked) {
		return
	}
	s.worked = past
	if e != nil {
		s.journal.add(*e)
	}
	s.out.Message(wire.FromLab{Work: &wire.Work{Entry: e, Past: past}})
}

// told takes note of what the learner was told late of his last command.
func (s *session) told(lines []string) {
	if len(lines) == 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.journal.tell(lines)
	s.out.Message(wire.FromLab{Work: &wire.Work{Told: lines, Past: s.worked}})
}

// did runs what the learner asked for, and tells so if it was done.
func (s *session) did(act progress.Act, do func() error) {
	step := s.desk().step()
	if do() == nil {
		s.work(&progress.Entry{Step: step, Do: act})
		s.watchers.tell()
	}
}

// replayLasts is how long one command may take when it is run again.
const replayLasts = 5 * time.Second

// replay does again what the learner did, in a new lab, and returns the commands that could not be done again. What
// only looks, and what was refused, is left out. A step that is done, and in which his shell did not tell what he did,
// is done by the scenario's own commands.
func replay(ctx context.Context, l *lab.Lab, sc *scenario.Scenario, past []sitting.Past, all []progress.Entry) (
	undone []string) {
	perform := func(step int) {
		if _, err := l.Perform(ctx, sc, min(max(step-1, 0), len(sc.Steps)-1)); err != nil {
			undone = append(undone, fmt.Sprintf("the commands of step %d: %v", step, err))
		}
	}
	untold := map[int]bool{} // the steps that are done so; false once they are
	for _, e := range all {
		if e.Untold() && e.Step <= len(past) && past[e.Step-1].Done {
			untold[e.Step] = true
		}
	}
	for _, e := range all {
		if still, is := untold[e.Step]; is {
			if still {
				perform(e.Step)
			}
			untold[e.Step] = false
			continue
		}
		if e.Do == progress.Solve {
			perform(e.Step)
			continue
		}
		switch why := again(ctx, l, e); {
		case why == "":
		case e.Untold():
			undone = append(undone, fmt.Sprintf("in step %d: %s", e.Step, why))
		default:
			undone = append(undone, e.Line+": "+why)
		}
	}
	return bounded(undone)
}

// The most commands that are told not to have been done again, and the longest text about one, in bytes.
const (
	mostUndone    = 20
	longestUndone = 500
)

// bounded are texts of commands and their outputs, few and short enough to be told.
func bounded(all []string) []string {
	over := len(all) - mostUndone
	if over > 0 {
		all = append(all[:mostUndone:mostUndone], fmt.Sprintf("… and %d more", over))
	}
	for i := range all {
		all[i] = untrusted.Cut(all[i], longestUndone)
	}
	return all
}

// again runs one command again, and returns why it could not.
func again(ctx context.Context, l *lab.Lab, e progress.Entry) (why string) {
	if e.Untold() {
		return "a command that the shell does not tell"
	}
	if e.Cut {
		return "the line was too long to be kept"
	}
	argv, err := scenario.Words(e.Line)
	if err == nil && e.Netns == "" {
		c, err := operation.Parse(argv)
		_, runs := c.Op.(operation.Run)
		if err == nil && !runs {
			if e.Status != 0 || onlyLooks(c.Op) {
				return ""
			}
			cmd := scenario.Command{Text: e.Line, Argv: argv}
			if d := lab.Netlink(); d.CanSay(cmd) == nil {
				x, err := l.Run(ctx, d, cmd)
				return refused(x.Status, x.Output, err)
			}
		}
	}
	ns := e.Netns
	if ns == "" {
		ns = netns.Host
	}
	line := "PATH=" + shell.Bin + ":$PATH\n" + e.Line // sudo is there
	out, status, err := program.Run(ctx, labworld.Of(l), ns, []string{"sh", "-c", line}, replayLasts)
	if e.Status != 0 && err == nil {
		return "" // it failed the first time, too
	}
	return refused(status, string(out), err)
}

func refused(status int, output string, err error) string {
	switch {
	case err != nil:
		return err.Error()
	case status != 0:
		return fmt.Sprintf("exit status %d: %s", status, untrusted.Cut(strings.TrimSpace(output), longestUndone))
	}
	return ""
}

// onlyLooks reports whether an operation changes nothing.
func onlyLooks(op operation.Operation) bool {
	switch op.(type) {
	case operation.Show, operation.SysctlShow, operation.Ping:
		return true
	}
	return false
}
