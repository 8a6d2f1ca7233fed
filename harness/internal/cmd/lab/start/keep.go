package start

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"netnscheck/harness/internal/cmd/status"
	"netnscheck/harness/internal/session/store"
	"netnscheck/harness/internal/session/wire"
	"netnscheck/harness/scenario"
	"netnscheck/harness/sitting/progress"
	"netnscheck/harness/term"
)

// keeper keeps what a learner does in a lab: his progress and the history of his shell. It saves them beside everything
// else: a slow disk holds up no prompt.
type keeper struct {
	lab     *store.Lab // nil if nothing can be kept
	unsaved bool       // the lab begins anew

	mu      sync.Mutex // of what follows, while it saves
	file    *progress.File
	history []byte
	typed   bool          // the history is to be saved, too
	due     chan struct{} // has a value if something is to be saved; nil before the lab has begun
	saved   chan struct{} // closed when nothing more will be saved
	// lost and lostHistory are why the latest progress and history are not on the disk.
	lost, lostHistory error
}

// keeperOf opens what is kept of the lab with an id, which is then locked. Where nothing can be kept the learner works
// all the same. The notes are for him.
func keeperOf(kept *store.Store, id string) (k *keeper, notes []string, err error) {
	lab := kept.Lab(id)
	err = lab.Lock()
	var busy *store.BusyError
	switch {
	case errors.As(err, &busy):
		return nil, nil, err
	case err != nil:
		return &keeper{}, []string{notKept(err)}, nil
	}
	k = &keeper{lab: lab}
	var note string
	if k.file, note, err = lab.Load(); err != nil {
		lab.Unlock()
		return nil, nil, err
	}
	if note != "" {
		notes = append(notes, note)
	}
	if k.history, err = lab.History(); err != nil {
		notes = append(notes, err.Error())
	}
	return k, notes, nil
}

// notKept says that nothing is kept.
func notKept(why error) string { return fmt.Sprintf("your progress is not kept: %v", why) }

// settle goes on with what is kept, or begins anew if nothing is or if that is asked for. It returns the scenario with
// the values that the lab has. Nothing is saved yet.
func (k *keeper) settle(sc *scenario.Scenario, a *asked) (chosen *scenario.Scenario, notes []string, err error) {
	chosen, err = a.values.ChooseOne(sc)
	if err != nil {
		return nil, nil, err
	}
	if k.file != nil && !a.fresh {
		switch err := k.file.Fits(sc); {
		case errors.Is(err, progress.ErrChanged):
			notes = append(notes, fmt.Sprintf("%v: it begins anew.", err))
			if a.as(k.file); a.values.Given() {
				if chosen, err = a.values.ChooseOne(sc); err != nil {
					return nil, nil, err
				}
			}
		case err != nil:
			return nil, nil, status.With(status.Cannot, err)
		default:
			if other := a.other(sc, k.file); other != "" {
				return nil, nil, status.Usagef("go on with the lab %s: it was begun with %s; "+
					"leave that out, or begin anew with --fresh", sc.ID, other)
			}
			if len(sc.Vars) > 0 {
				chosen, err = scenario.ParseWith(sc.File, []byte(sc.Source), k.file.Values())
			}
			return chosen, k.notes(chosen), status.With(status.Cannot, err)
		}
	}
	k.file, k.unsaved = a.begun(chosen), true
	return chosen, append(notes, k.notes(chosen)...), nil
}

// notes say what the lab was begun with, as far as the learner has to know.
func (k *keeper) notes(sc *scenario.Scenario) (notes []string) {
	if c := k.file.Challenge; c != nil {
		level := "any level"
		if c.Level > 0 {
			level = fmt.Sprintf("level %d", c.Level)
		}
		notes = append(notes, fmt.Sprintf("%s of %s, by --seed %s: the same for everybody who says so",
			map[bool]string{true: "a fault", false: fmt.Sprintf("%d faults", c.Faults)}[c.Faults == 1], level, c.Seed))
		if k.file.Finished() {
			notes = append(notes, "this challenge is solved; --fresh makes another one")
		}
	}
	return notes
}

// begun begins to save, with the progress of a lab that has just begun, so that it goes on the next time whatever is
// done in it.
func (k *keeper) begun() {
	if k.lab == nil {
		return
	}
	k.due, k.saved = make(chan struct{}, 1), make(chan struct{})
	go func() {
		defer close(k.saved)
		for range k.due {
			k.save()
		}
	}()
	if k.unsaved {
		k.unsaved = false
		k.due <- struct{}{}
	}
}

// save saves what there is now.
func (k *keeper) save() {
	k.mu.Lock()
	text, lost := k.file.Encode()
	typed, history := k.typed, k.history
	k.typed = false
	k.mu.Unlock()
	if lost == nil {
		lost = k.lab.Save(text)
	}
	lostHistory := k.lostHistory
	if typed || lostHistory != nil {
		lostHistory = k.lab.SaveHistory(history)
	}
	k.lost, k.lostHistory = lost, lostHistory
}

// past sets what the lab goes on with.
func (k *keeper) past(b *wire.Begin) {
	b.Past, b.Replay, b.History, b.Exam = k.file.Past(), k.file.Replay(), k.history, k.file.Exam
	b.Challenge = k.file.Challenge
	b.Log, b.Earlier = k.file.Last()
}

// maxHistory is how much of the history is held, in bytes.
const maxHistory = 1 << 20

// work takes in what the learner did, and has it saved. What could not be saved is told at the end: it must not hold
// the learner up.
func (k *keeper) work(w wire.Work) {
	k.mu.Lock()
	defer k.mu.Unlock()
	now := time.Now()
	if w.Entry != nil {
		e := *w.Entry
		e.At = now
		k.file.Add(e)
		if e.Line != "" {
			// A new array: the old one may be on its way to the disk.
			k.history = slices.Concat(k.history, bytes.ReplaceAll([]byte(e.Line), []byte("\n"), []byte("\\\n")),
				[]byte("\n"))
			k.history = k.history[max(0, len(k.history)-maxHistory):]
			k.typed = true
		}
	}
	if len(w.Told) > 0 {
		k.file.Tell(w.Told)
	}
	k.file.Update(w.Past, now)
	select {
	case k.due <- struct{}{}:
	default: // it is due already, or nothing is kept
	}
}

// close saves what there is and gives the lab free. The error says what could not be saved.
func (k *keeper) close() error {
	if k.due != nil {
		close(k.due)
		<-k.saved
	}
	if k.lab != nil {
		k.lab.Unlock()
	}
	return errors.Join(k.lost, k.lostHistory)
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
