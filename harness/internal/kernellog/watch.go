// Package kernellog finds out of what the kernel complains while cases run: a WARN, a BUG, an oops, a report of its own
// checkers, or a new taint. It reads /dev/kmsg from its end on, and of that only what the kernel itself wrote, and
// /proc/sys/kernel/tainted. The command line may import it, in the process outside of all sandboxes: what is in one
// cannot be asked about its own kernel. It never writes to the log, and fails no case because it cannot read it.
package kernellog

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"netnscheck/harness/internal/kernelfault"
	"netnscheck/harness/scenario"
)

// Watch tells which complaints came while which cases ran. It is safe for concurrent use.
type Watch struct {
	mu      sync.Mutex
	log     *log
	running map[string]*span // by the case
	last    string           // the case that ended last
	strays  []string
}

// span is the time of a case.
type span struct {
	since Mark
	told  []scenario.Problem // what came since it began
}

// Open opens the kernel's log. What cannot be read is told by Words.
func Open() *Watch {
	from, err := openKmsg()
	return newWatch(newLog(from, err, readTaint))
}

func newWatch(l *log) *Watch { return &Watch{log: l, running: map[string]*span{}} }

// Begin notes that a case begins. A name is that of one case at a time.
func (w *Watch) Begin(name string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.look()
	w.running[name] = &span{since: Mark(w.log.count)}
}

// End notes that a case has ended, and returns what the kernel complained of while it ran, and what it wrote to its log
// in that time (Since). Who caused it is not known: if several cases ran, it is told of each of them.
func (w *Watch) End(name string) (told []scenario.Problem, lines []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.look()
	if s := w.running[name]; s != nil {
		told, lines = s.told, w.since(s.since)
	}
	delete(w.running, name)
	w.last = name
	return told, lines
}

// Strays is what the kernel complained of while no case ran, a sentence and its text each, up to now.
func (w *Watch) Strays() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.look()
	return w.strays
}

// Words say whether the log could be read, what of it was lost, and what it told that fails nothing.
func (w *Watch) Words() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.log.words()
}

// Mark is a place in the log.
type Mark int

// Mark returns the end of the log.
func (w *Watch) Mark() Mark {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.look()
	return Mark(w.log.count)
}

// Since returns the kernel's lines since a mark, as dmesg(1) shows them: the last ones, if there are too many.
func (w *Watch) Since(m Mark) []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.look()
	return w.since(m)
}

func (w *Watch) since(m Mark) []string {
	recent := w.log.recent
	return slices.Clone(recent[max(0, len(recent)-(w.log.count-int(m))):])
}

// Close closes the log.
func (w *Watch) Close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.log.from != nil {
		w.log.from.Close()
		w.log.from, w.log.why = nil, errors.New("it is closed")
	}
}

// What is told of the complaints of a case: one that goes on complaining is not quoted to its end.
const (
	mostProblems = 4
	mostLines    = 30
)

// look deals out what the kernel complained of since the last look.
func (w *Watch) look() {
	for _, c := range w.log.look() {
		lines := quoted(c.lines)
		if len(w.running) == 0 && len(w.strays) < mostProblems {
			w.strays = append(w.strays, w.stray(c.words, lines))
		}
		for _, s := range w.running {
			if len(s.told) < mostProblems {
				p := scenario.Problem{Message: c.words, Diagnosis: lines}
				if len(w.running) > 1 {
					p.Message += fmt.Sprintf(" (while %d cases ran)", len(w.running))
				}
				s.told = append(s.told, p)
			}
		}
	}
}

func (w *Watch) stray(words string, lines []string) string {
	when := "before the first case"
	if w.last != "" {
		when = "while no case ran, after " + w.last
	}
	return strings.Join(append([]string{words + ", " + when}, lines...), "\n")
}

// quoted are the first lines of a complaint, without the mark before it.
func quoted(lines []string) []string {
	if len(lines) > 1 && strings.Contains(lines[0], kernelfault.Cut) {
		lines = lines[1:]
	}
	if len(lines) <= mostLines {
		return lines
	}
	return append(slices.Clone(lines[:mostLines]), fmt.Sprintf("… and %d more lines", len(lines)-mostLines))
}
