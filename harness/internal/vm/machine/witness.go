package machine

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync/atomic"

	"netnscheck/harness/internal/untrusted"
	"netnscheck/harness/internal/vm/wire"
	"netnscheck/reports"
)

// witness reads what a guest says, and keeps what its end is judged by. A guest may say anything: all of it is bounded,
// and a frame counts only where it makes sense.
type witness struct {
	told  func(Event)
	log   *log
	heard atomic.Int64 // frames, and until it is up bytes of the console
	up    atomic.Bool  // the harness has started
	over  atomic.Bool  // nothing that is told from now on counts
	lied  atomic.Bool  // that is because of a violation

	ready     *wire.Ready
	exit      *wire.Exit
	violation error // the first frame that makes no sense; nothing is read after it
	planned   int   // cases, -1 before the plan
	most      int   // how many cases may be told, 0 if it was not planned outside
	begun     map[key]bool
	ended     map[key]bool
	finished  bool

	evidence    []string // the files
	evidenceErr error
}

// key is a case of the plan.
type key struct{ suite, name string }

func newWitness(g *Guest, told func(Event)) *witness {
	return &witness{told: told, log: newLog(filepath.Join(g.Folder, consoleFile)), planned: -1,
		most: g.Cases, begun: map[key]bool{}, ended: map[key]bool{}}
}

// readConsole reads the console to its end.
func (w *witness) readConsole(port io.Reader) {
	piece := make([]byte, 64<<10)
	for {
		n, err := port.Read(piece)
		if w.log.write(piece[:n]); !w.up.Load() {
			w.heard.Add(int64(n))
		}
		if err != nil {
			return
		}
	}
}

// readFrames reads frames until the port ends or one makes no sense.
func (w *witness) readFrames(port io.Reader) {
	lines := untrusted.NewLines(port, wire.FrameSize)
	for {
		line, err := lines.Next()
		if err == nil {
			err = w.frame(line)
		} else if !isTooLong(err) {
			return
		}
		if err != nil {
			w.violation = err
			w.lied.Store(true)
			w.over.Store(true)
			io.Copy(io.Discard, port) // a guest that waits for room would not end
			return
		}
		w.heard.Add(1)
	}
}

func isTooLong(err error) bool {
	var tooLong *untrusted.TooLongError
	return errors.As(err, &tooLong)
}

// frame takes a frame. Its errors follow the words "the guest sent".
func (w *witness) frame(line []byte) error {
	var f wire.Frame
	if err := untrusted.Decode(line, &f); err != nil {
		return fmt.Errorf("a frame that cannot be read: %s", untrusted.Cut(untrusted.Shown(err.Error()), 1<<10))
	}
	switch {
	case w.exit != nil:
		return errors.New("a frame after the last one")
	case f.Exit != nil:
		f.Exit.Trouble, f.Exit.Limit = untrusted.Shown(f.Exit.Trouble), untrusted.Shown(f.Exit.Limit)
		w.exit = f.Exit
		w.over.Store(true)
	case w.ready == nil && f.Ready == nil:
		return errors.New("a frame before it was ready")
	case w.ready != nil && f.Ready != nil:
		return errors.New("twice that it was ready")
	case f.Ready != nil:
		f.Ready.Release = untrusted.Cut(untrusted.Shown(f.Ready.Release), 1<<10)
		for i := range f.Ready.Lacking {
			f.Ready.Lacking[i] = untrusted.Cut(untrusted.Shown(f.Ready.Lacking[i]), 1<<10)
		}
		w.ready = f.Ready
		w.up.Store(true)
		w.told(Event{Ready: f.Ready})
	case f.Event != nil:
		return w.event(f.Event)
	case f.Output != "":
		w.told(Event{Output: untrusted.Shown(f.Output)})
	}
	return nil
}

// event takes an event of the harness's run, if the plan has room for it.
func (w *witness) event(text []byte) error {
	var e reports.Event
	if err := untrusted.Decode(text, &e); err != nil {
		return fmt.Errorf("an event that cannot be read: %s", untrusted.Cut(untrusted.Shown(err.Error()), 1<<10))
	}
	if err := w.expect(e); err != nil {
		return err
	}
	e.Suite, e.Name = untrusted.Shown(e.Suite), untrusted.Shown(e.Name)
	switch e.Event {
	case reports.EventBegin:
		w.told(Event{Begin: &Place{e.Suite, e.Name}})
	case reports.EventEnd:
		e.Case.Name = e.Name
		e.Case.Rewrite(untrusted.Shown)
		w.told(Event{Case: &Case{e.Suite, *e.Case}})
	case reports.EventFinish:
		shown(e.Run)
		w.told(Event{Run: e.Run})
	}
	return nil
}

func (w *witness) expect(e reports.Event) error {
	const (
		most = 1 << 20
		long = 4 << 10 // bytes
	)
	k := key{e.Suite, e.Name}
	switch {
	case len(e.Suite)+len(e.Name) > long:
		return fmt.Errorf("the event %.32q with names of %d bytes", e.Event, len(e.Suite)+len(e.Name))
	case e.Event == reports.EventPlan && w.planned < 0 && e.Cases >= 0 && e.Cases <= most:
		if w.planned = e.Cases; w.most > 0 {
			w.planned = min(w.planned, w.most)
		}
	case w.planned < 0:
		return fmt.Errorf("the event %.32q before the plan", e.Event)
	case w.finished:
		return fmt.Errorf("the event %.32q after the finish", e.Event)
	case e.Event == reports.EventBegin && !w.begun[k] && len(w.begun) < w.planned:
		w.begun[k] = true
	case e.Event == reports.EventEnd && e.Case != nil && !w.ended[k] && len(w.ended) < w.planned:
		w.ended[k] = true
	case e.Event == reports.EventFinish && e.Run != nil:
		for _, l := range e.Run.LeftOut {
			if l.Cases < 0 || l.Cases > most {
				return fmt.Errorf("that %d cases were left out", l.Cases)
			}
		}
		w.finished = true
	default:
		return fmt.Errorf("the event %.32q of %.256q, which does not fit its plan of %d cases", e.Event,
			e.Suite+" "+e.Name, w.planned)
	}
	return nil
}

// shown makes the texts of a run printable.
func shown(r *reports.Run) {
	r.Hostname, r.Install = untrusted.Shown(r.Hostname), untrusted.Shown(r.Install)
	for i := range r.Properties {
		r.Properties[i].Name = untrusted.Shown(r.Properties[i].Name)
		r.Properties[i].Value = untrusted.Shown(r.Properties[i].Value)
	}
	for i := range r.LeftOut {
		l := &r.LeftOut[i]
		for _, text := range []*string{&l.Program, &l.Package, &l.Driver, &l.Reason} {
			*text = untrusted.Cut(untrusted.Shown(*text), 1<<10)
		}
	}
	for _, list := range [][]string{r.Problems, r.Leftovers} {
		for i := range list {
			list[i] = untrusted.Shown(list[i])
		}
	}
}

// readEvidence writes the files that the guest sends into a folder, and nothing outside of it.
func (w *witness) readEvidence(port io.Reader, folder string) {
	const mostFiles = 256
	from := tar.NewReader(io.LimitReader(port, 2*wire.EvidenceSize))
	defer io.Copy(io.Discard, port)
	for range mostFiles {
		head, err := from.Next()
		if err != nil {
			if err != io.EOF && len(w.evidence) > 0 {
				w.evidenceErr = fmt.Errorf("read the evidence: %w", err)
			}
			return
		}
		if head.Typeflag != tar.TypeReg {
			continue
		}
		if err := keep(from, folder, head.Name); err != nil {
			w.evidenceErr = fmt.Errorf("keep the evidence: %w", err)
			return
		}
		w.evidence = append(w.evidence, filepath.Join(folder, head.Name))
	}
}

// keep writes a file below a folder. A name that leads out of it is an error (os.Root).
func keep(from io.Reader, folder, name string) error {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	root, err := os.OpenRoot(folder)
	if err != nil {
		return err
	}
	defer root.Close()
	if err := root.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	to, err := root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o644)
	if err != nil {
		return err
	}
	_, err = io.Copy(to, from)
	return errors.Join(err, to.Close())
}
