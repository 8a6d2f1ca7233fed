package start

import (
	"bytes"
	"errors"
	"fmt"
	"time"

	"netnscheck/harness/internal/session/store"
	"netnscheck/harness/internal/session/wire"
	"netnscheck/harness/scenario"
	"netnscheck/harness/sitting/progress"
	"netnscheck/harness/term"
)

// keeper keeps what a learner does in a lab: his progress and the history of his shell.
type keeper struct {
	lab     *store.Lab // nil if nothing can be kept
	file    *progress.File
	history []byte
	failed  error // of the first save that failed
}

// keeperOf opens what is kept of the lab with an id, which is then locked. With fresh set, nothing of it counts any
// more. Where nothing can be kept the learner works all the same. The notes are for him.
func keeperOf(kept *store.Store, id string, sc *scenario.Scenario, exam, fresh bool) (k *keeper, notes []string,
	err error) {
	lab := kept.Lab(id)
	err = lab.Lock()
	var busy *store.BusyError
	switch {
	case errors.As(err, &busy):
		return nil, nil, err
	case err != nil:
		return keeperOfNothing(sc, exam), []string{notKept(err)}, nil
	}
	return newKeeper(lab, sc, exam, fresh)
}

// keeperOfNothing keeps nothing.
func keeperOfNothing(sc *scenario.Scenario, exam bool) *keeper {
	k := &keeper{file: progress.New(sc, time.Now())}
	k.file.Exam = exam
	return k
}

// notKept says that nothing is kept.
func notKept(why error) string { return fmt.Sprintf("your progress is not kept: %v", why) }

// newKeeper opens what is kept of a lab that is locked.
func newKeeper(lab *store.Lab, sc *scenario.Scenario, exam, fresh bool) (k *keeper, notes []string, err error) {
	k = &keeper{lab: lab}
	file, note, err := lab.Load()
	if err != nil {
		lab.Unlock()
		return nil, nil, err
	}
	if note != "" {
		notes = append(notes, note)
	}
	if file != nil && !fresh {
		switch err := file.Fits(sc); {
		case errors.Is(err, progress.ErrChanged):
			notes = append(notes, fmt.Sprintf("%v: it begins anew.", err))
			file = nil
		case err != nil:
			lab.Unlock()
			return nil, nil, err
		}
	}
	if file == nil || fresh {
		file = progress.New(sc, time.Now())
		file.Exam = exam
	}
	k.file = file
	if k.history, err = lab.History(); err != nil {
		notes = append(notes, err.Error())
	}
	return k, notes, nil
}

// past sets what the lab goes on with.
func (k *keeper) past(b *wire.Begin) {
	b.Past, b.Replay, b.History, b.Exam = k.file.Past(), k.file.Replay(), k.history, k.file.Exam
	b.Log, b.Earlier = k.file.Last()
}

// maxHistory is how much of the history is held, in bytes.
const maxHistory = 1 << 20

// work takes in what the learner did, and saves it. An error is told once, at the end: it must not hold the learner up.
func (k *keeper) work(w wire.Work) {
	now := time.Now()
	if w.Entry != nil {
		e := *w.Entry
		e.At = now
		k.file.Add(e)
		if e.Line != "" {
			k.history = append(append(k.history, bytes.ReplaceAll([]byte(e.Line), []byte("\n"), []byte(" "))...), '\n')
			k.history = k.history[max(0, len(k.history)-maxHistory):]
			if k.lab != nil {
				k.note(k.lab.SaveHistory(k.history))
			}
		}
	}
	if len(w.Told) > 0 {
		k.file.Tell(w.Told)
	}
	k.file.Update(w.Past, now)
	if k.lab != nil {
		k.note(k.lab.Save(k.file))
	}
}

func (k *keeper) note(err error) {
	if k.failed == nil {
		k.failed = err
	}
}

// close gives the lab free. The error says what could not be saved.
func (k *keeper) close() error {
	if k.lab != nil {
		k.lab.Unlock()
	}
	return k.failed
}

// undone says which commands could not be done again.
func undone(lines []string) []string {
	if len(lines) == 0 {
		return nil
	}
	all := []string{"These commands of the last time could not be run again; what they did is missing:"}
	for _, line := range lines {
		all = append(all, "  "+term.OneLine(line))
	}
	return all
}
