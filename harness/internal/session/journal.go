package session

import (
	"time"

	"netnscheck/harness/internal/session/wire"
	"netnscheck/harness/sitting"
	"netnscheck/harness/sitting/progress"
)

// journal is what the learner did last, for `lab log`. All of it is in his progress.
type journal struct {
	all     []progress.Entry
	earlier int // how much before that
}

// maxJournalLine limits what a journal has of a command, in bytes.
const maxJournalLine = 1 << 10

func (j *journal) add(e progress.Entry) {
	e.At = time.Now()
	j.all = append(j.all, e.Shown(maxJournalLine))
	if over := len(j.all) - progress.Latest; over > 0 {
		j.all, j.earlier = j.all[over:], j.earlier+over
	}
}

// tell adds what was told late of the last command.
func (j *journal) tell(lines []string) {
	last := progress.File{Log: j.all}
	last.Tell(lines)
}

// log is what the learner did, with the steps.
func (s *session) log() wire.Reply {
	d := s.desk()
	d.mu.Lock()
	v := d.sitting.View()
	d.mu.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	return wire.Reply{View: &v, Log: append([]progress.Entry(nil), s.journal.all...), Earlier: s.journal.earlier}
}

// wide is how lines are made that are kept.
var wide = sitting.Look{Width: 200}
