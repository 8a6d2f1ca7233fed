package specrun

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"
	"syscall"
	"time"

	"github.com/onsi/ginkgo/v2"
	"github.com/onsi/ginkgo/v2/types"
)

// grace is how long an interrupted spec may take to return before Ginkgo goes on without it.
const grace = 5 * time.Second

// Work is main of a worker: it reads its job from in, runs the specs once, and reports the results on out. The error is
// for a worker that could not do so; failed specs are no error.
func Work(in io.Reader, out io.Writer, register Register) error {
	w := &worker{out: out, cases: map[string]bool{}, begun: make(chan struct{}), stopped: make(chan struct{}),
		goOn: make(chan struct{}, 1)}
	from := json.NewDecoder(in)
	if err := from.Decode(&w.job); err != nil {
		return fmt.Errorf("read the job: %w", err)
	}
	for _, id := range w.job.Cases {
		w.cases[id] = true
	}
	go w.listen(from)
	go w.live()
	err := register(w.job, Tell{Kept: w.kept, Evidence: w.evidence})
	var unable *UnableError
	if errors.As(err, &unable) {
		m := message{Event: eventUnable, Text: unable.Error()}
		errors.As(err, &m.Errno)
		w.tell(m)
		return w.err()
	}
	if err != nil {
		return fmt.Errorf("build the specs of %s: %w", w.job.Unit, err)
	}
	ginkgo.ReportBeforeSuite(func(types.Report) { close(w.begun) })
	ginkgo.ReportBeforeEach(w.starts)
	ginkgo.ReportAfterEach(w.ended)

	suite, reporter := configuration(w.job)
	t := &outcome{}
	ginkgo.RunSpecs(t, "", suite, reporter)
	w.tell(message{Event: eventDone})
	return w.err()
}

type worker struct {
	job     Job
	cases   map[string]bool // their ids
	begun   chan struct{}   // closed when Ginkgo handles signals
	stopped chan struct{}   // closed when the outer process told us to stop or is gone
	goOn    chan struct{}
	running bool // a case runs

	mu     sync.Mutex
	out    io.Writer
	closed bool // the last message was sent
	failed error
}

// tell sends one message. If nobody reads any more, the specs still run to their end and clean up.
func (w *worker) tell(m message) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return
	}
	w.closed = m.Event == eventDone || m.Event == eventUnable
	line, err := encode(m)
	if err == nil {
		_, err = w.out.Write(line)
	}
	if err != nil && w.failed == nil {
		w.failed = fmt.Errorf("report to the outer process: %w", err)
	}
}

// live sends signs of life, whatever the specs wait for.
func (w *worker) live() {
	for range time.Tick(beat) {
		w.tell(message{Event: eventAlive})
	}
}

func (w *worker) err() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.failed
}

// listen receives the outer process's replies. At the end of the stream it interrupts Ginkgo, which lets the running
// spec return and runs the clean-up nodes.
func (w *worker) listen(from *json.Decoder) {
	for {
		var r reply
		if err := from.Decode(&r); err != nil {
			break
		}
		if r.GoOn {
			select {
			case w.goOn <- struct{}{}:
			default:
			}
		}
	}
	close(w.stopped)
	<-w.begun
	if err := syscall.Kill(syscall.Getpid(), syscall.SIGTERM); err != nil {
		w.tell(message{Event: eventLeftover, Text: fmt.Sprintf("interrupt the specs: %v", err)})
	}
}

// kept reports the threads of the kept labs, and waits until the labs may be taken down.
func (w *worker) kept(ctx context.Context, threads []int) {
	select {
	case <-w.stopped:
		return
	default:
	}
	if r := ginkgo.CurrentSpecReport(); r.Failed() { // its end is reported only after its labs are gone
		w.tell(message{Event: eventFailed, Text: cmp.Or(r.Failure.Message, "it failed")})
	}
	w.tell(message{Event: eventKept, Threads: threads})
	select {
	case <-w.goOn:
	case <-w.stopped:
	case <-ctx.Done():
	}
}

// idOf is the id of a spec's case: one of its labels, or else its text.
func (w *worker) idOf(r types.SpecReport) string {
	for _, label := range r.LeafNodeLabels {
		if w.cases[label] {
			return label
		}
	}
	return r.FullText()
}

// starts reports the start of a case.
func (w *worker) starts(r types.SpecReport) {
	w.running = !leftOut(r) && r.State != types.SpecStatePending
	if w.running {
		w.tell(message{Event: eventStart, Key: w.idOf(r)})
	}
}

// ended reports failures of the clean-up after a spec, and the result of the spec if it ran.
func (w *worker) ended(r types.SpecReport) {
	for _, text := range cleanupFailures(r) {
		w.tell(message{Event: eventLeftover, Text: text})
	}
	if !w.running {
		return
	}
	result := resultOf(r)
	cutShort := r.State.Is(types.SpecStateInterrupted|types.SpecStateAborted) || leftOut(r)
	w.tell(message{Event: eventEnd, Key: w.idOf(r), Case: &result, Interrupted: cutShort})
}

// outcome is the part of *testing.T that RunSpecs needs.
type outcome struct{ failed bool }

func (o *outcome) Fail() { o.failed = true }
