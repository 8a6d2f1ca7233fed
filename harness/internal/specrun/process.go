package specrun

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"netnscheck/harness/term"
)

// work starts the unit's worker, hears it to its end, and ends it when ctx ends.
func (u *unitRun) work(ctx context.Context) {
	w, err := u.start()
	if err != nil {
		u.die("start a worker: %v", err)
		return
	}
	defer w.close()
	ended := make(chan error, 1)
	go func() { ended <- w.process.Wait() }()
	go w.send(u.plan.Unit.Job)
	finished := make(chan struct{})
	defer close(finished)
	go w.endWith(ctx, u.Grace, finished)

	heard := make(chan bool, 1)
	go func() { heard <- u.hear(ctx, w) }()
	err = <-ended
	w.expire(time.Second) // all that it wrote is there; what it started may hold the pipes open
	done := <-heard
	last := w.lastWords()
	switch {
	case done && (err == nil || ctx.Err() != nil):
	case done:
		u.die("the worker ended badly (%v)%s", err, last)
	case ctx.Err() != nil && err == nil:
	case ctx.Err() != nil:
		u.problems = append(u.problems, fmt.Sprintf("%s: the worker did not stop by itself (%v)", u.plan.Unit.Job.Unit, err))
	case err != nil:
		u.die("the worker died (%v)%s", err, last)
	default:
		u.die("the worker ended before its specs did%s", last)
	}
}

// hear takes the worker's messages until it closes its end; the result says that it was done.
func (u *unitRun) hear(ctx context.Context, w *workerProcess) (done bool) {
	from := json.NewDecoder(w.out)
	for {
		var m message
		if err := from.Decode(&m); err != nil {
			return done
		}
		switch m.Event {
		case eventStart:
			u.begin(m.Key)
		case eventEnd:
			if m.Interrupted {
				u.cut(m)
			} else {
				u.take(m)
			}
		case eventLeftover:
			u.leftovers = append(u.leftovers, u.plan.Unit.Job.Unit+": "+m.Text)
		case eventKept:
			u.kept(ctx, u.plan.Unit.Job.Unit, w.process, m.Commands)
			w.say(reply{GoOn: true})
		case eventDone:
			done = true
		}
	}
}

// workerProcess is a worker seen from outside: our ends of its pipes.
type workerProcess struct {
	process Process
	out     *os.File
	stderr  *os.File
	tail    chan string

	saying sync.Mutex // one line at a time
	in     *os.File   // closed when it was told to stop
}

func (u *unitRun) start() (*workerProcess, error) {
	inRead, inWrite, err1 := os.Pipe()
	outRead, outWrite, err2 := os.Pipe()
	errRead, errWrite, err3 := os.Pipe()
	theirs := []*os.File{inRead, outWrite, errWrite}
	ours := []*os.File{inWrite, outRead, errRead}
	err := errors.Join(err1, err2, err3)
	var process Process
	if err == nil {
		process, err = u.Start(inRead, outWrite, errWrite)
	}
	closeAll(theirs)
	if err != nil {
		closeAll(ours)
		return nil, err
	}
	w := &workerProcess{process: process, in: inWrite, out: outRead, stderr: errRead, tail: make(chan string, 1)}
	go func() { w.tail <- readTail(errRead) }()
	return w, nil
}

func closeAll(files []*os.File) {
	for _, f := range files {
		f.Close() // a nil one says so and no more
	}
}

// send gives the worker its job. A worker that died before it read it is found out by its end.
func (w *workerProcess) send(job Job) { w.say(job) }

// say writes one line to the worker.
func (w *workerProcess) say(what any) {
	w.saying.Lock()
	defer w.saying.Unlock()
	json.NewEncoder(w.in).Encode(what)
}

// hangUp tells the worker to stop. It also ends a line that the worker does not read.
func (w *workerProcess) hangUp() { w.in.Close() }

// endWith tells the worker to stop when ctx ends, and kills it when it does not.
func (w *workerProcess) endWith(ctx context.Context, grace time.Duration, finished <-chan struct{}) {
	select {
	case <-finished:
		return
	case <-ctx.Done():
	}
	w.hangUp()
	timer := time.NewTimer(grace)
	defer timer.Stop()
	select {
	case <-finished:
	case <-timer.C:
		w.process.Kill()
	}
}

func (w *workerProcess) expire(after time.Duration) {
	w.out.SetReadDeadline(time.Now().Add(after))
	w.stderr.SetReadDeadline(time.Now().Add(after))
}

func (w *workerProcess) close() {
	w.hangUp()
	w.out.Close()
	w.stderr.Close()
}

// lastWords are the end of what the worker wrote to its standard error, in a form that fits behind a sentence.
func (w *workerProcess) lastWords() string {
	text := lastWords(<-w.tail)
	if text == "" {
		return ""
	}
	return ":\n" + text
}

// tailSize is how much of a worker's standard error is kept.
const tailSize = 64 << 10

// readTail reads to the end and keeps the last of it.
func readTail(in io.Reader) string {
	var tail []byte
	buf := make([]byte, 4096)
	for {
		n, err := in.Read(buf)
		tail = append(tail, buf[:n]...)
		if len(tail) > tailSize {
			tail = append([]byte{}, tail[len(tail)-tailSize:]...)
		}
		if err != nil {
			return string(tail)
		}
	}
}

// lastWords are a panic with the top of its stack, or else the last lines.
func lastWords(text string) string {
	const few = 12
	lines := strings.Split(strings.TrimSpace(term.Printable(text)), "\n")
	for i, line := range lines {
		if strings.HasPrefix(line, "panic: ") || strings.HasPrefix(line, "fatal error: ") {
			return strings.Join(lines[i:min(len(lines), i+few)], "\n")
		}
	}
	return strings.Join(lines[max(0, len(lines)-few):], "\n")
}
