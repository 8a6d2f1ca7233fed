package specrun

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"syscall"
	"time"

	"netnscheck/harness/internal/untrusted"
	"netnscheck/harness/scenario"
)

// work runs the unit's worker to its end, or stops it when ctx ends.
func (u *unitRun) work(ctx context.Context) {
	job := u.plan.Job
	job.Rehearse = !u.isProven()
	job.Evidence = u.Evidence != nil && job.Scenario != nil
	job.FailFast = job.FailFast && u.Judge == nil && u.plays() == 1 // only here is known what is a failure
	w, err := u.start(job)
	if err != nil {
		u.fail(job, fmt.Errorf("start a worker: %w", err))
		return
	}
	defer w.close()
	u.account = newAccount(u.plan, job)
	ended := make(chan error, 1)
	go func() { ended <- w.process.Wait() }()
	go w.say(job) // if the worker dies before it has read its job, Wait reports it
	finished := make(chan struct{})
	defer close(finished)
	go w.endWith(ctx, u.Grace, finished)
	go w.watch(cmp.Or(u.patience, patient), finished)
	heard := make(chan error, 1)
	go func() { heard <- u.hear(ctx, w) }()

	err = w.await(ended, heard, u.Grace)
	w.out.end()
	w.stderr.end()
	u.judge(ctx, job, w, err, <-heard)
	if at := u.account.running; at != nil { // its end was not told
		cut := &scenario.SectionResult{}
		u.blame(*at, cut)
		for _, p := range cut.Problems {
			u.problems = append(u.problems, fmt.Sprintf("%s: %s", u.nameOf(*at), placed(p)))
		}
	}
}

// judge records how the worker ended: err is the error of its process, told what it sent in place of results.
func (u *unitRun) judge(ctx context.Context, job Job, w *workerProcess, err, told error) {
	last := w.lastWords()
	for _, limit := range w.process.Met() {
		u.problems = append(u.problems, job.Unit+": "+limit)
	}
	var unable *UnableError
	switch why := w.condemned(); {
	case why != "":
		u.die("%s", why)
	case errors.As(told, &unable):
		u.fail(job, unable)
	case w.wasKilled():
		u.problems = append(u.problems, job.Unit+": the worker did not stop by itself and was killed")
	case ctx.Err() != nil && err != nil && !u.account.closed:
		u.problems = append(u.problems, fmt.Sprintf("%s: the worker was told to stop and %v", job.Unit, err))
	case ctx.Err() != nil:
	case err != nil && !u.hasResult() && limitIn(last) != nil:
		u.fail(job, fmt.Errorf("go on in a worker, which %w: %w", err, limitIn(last)))
	case err != nil:
		u.die("the worker %v%s", err, last)
	case !u.account.closed:
		u.die("the worker ended before its specs did%s", last)
	case u.interrupted:
		u.die("the worker was told to stop, but not by this run")
	}
}

// foreignError is an error of the worker: its text and its errno.
type foreignError struct {
	text  string
	errno syscall.Errno
}

func (e *foreignError) Error() string { return e.text }

func (e *foreignError) Unwrap() error {
	if e.errno == 0 {
		return nil
	}
	return e.errno
}

// limitIn is the limit of the machine that Go's runtime met, according to the last output of a process; nil if there is
// none. The messages are those of the runtime (os_linux.go, netpoll_epoll.go, malloc.go) and of cgo (gcc_libinit.c).
func limitIn(words string) error {
	switch {
	case strings.Contains(words, "newosproc"), strings.Contains(words, "pthread_create failed"):
		return syscall.EAGAIN
	case strings.Contains(words, "eventfd failed"), strings.Contains(words, "epollcreate failed"):
		return syscall.EMFILE
	case strings.Contains(words, "out of memory"), strings.Contains(words, "cannot allocate memory"):
		return syscall.ENOMEM
	}
	return nil
}

// hear receives the worker's messages until the worker closes its end. The error is what the worker sent in place of
// results, an *UnableError. A worker that sends an impossible message is condemned.
func (u *unitRun) hear(ctx context.Context, w *workerProcess) (told error) {
	from := untrusted.NewLines(w.out, messageSize)
	for {
		line, err := from.Next()
		var tooLong *untrusted.TooLongError
		switch {
		case errors.As(err, &tooLong):
		case err != nil:
			return told // the worker's exit says more than an error of its pipe
		default:
			var m message
			if m, err = u.account.read(line); err == nil {
				told = cmp.Or(told, u.obey(ctx, w, m))
				continue
			}
		}
		w.kill("the worker sent " + untrusted.Shown(err.Error()))
		return nil
	}
}

// obey acts on a message that the account has accepted.
func (u *unitRun) obey(ctx context.Context, w *workerProcess, m message) error {
	switch m.Event {
	case eventStart:
		u.prove()
		u.begin(u.plan.at[m.Key])
	case eventEnd:
		at := u.plan.at[m.Key]
		u.blame(at, m.Case)
		u.gather(at)
		if m.Interrupted {
			u.cut(at, m.Case)
		} else {
			u.take(at, m.Case)
		}
	case eventLeftover:
		u.leftovers = append(u.leftovers, u.plan.Job.Unit+": "+m.Text)
	case eventKept:
		u.kept(ctx, KeptLabs{u.plan.Job.Unit, w.process, m.Threads, u.failures()})
		go w.say(reply{GoOn: true}) // the worker may not be reading
	case eventUnable:
		return &UnableError{&foreignError{untrusted.Shown(m.Text), m.Errno}}
	}
	return nil
}

// workerProcess is a worker as the outer process sees it: our ends of its pipes.
type workerProcess struct {
	process Process
	out     *pulse
	stderr  *pulse
	tail    chan string

	saying sync.Mutex // one line at a time
	in     *os.File   // closing it tells the worker to stop

	killing sync.Mutex
	why     string        // why it was condemned
	killed  chan struct{} // closed once it was killed
}

func (u *unitRun) start(job Job) (*workerProcess, error) {
	inRead, inWrite, err1 := os.Pipe()
	outRead, outWrite, err2 := os.Pipe()
	errRead, errWrite, err3 := os.Pipe()
	theirs := []*os.File{inRead, outWrite, errWrite}
	ours := []*os.File{inWrite, outRead, errRead}
	err := errors.Join(err1, err2, err3)
	var process Process
	if err == nil {
		process, err = u.Start(job, inRead, outWrite, errWrite)
	}
	closeAll(theirs)
	if err != nil {
		closeAll(ours)
		return nil, err
	}
	w := &workerProcess{process: process, in: inWrite, out: &pulse{File: outRead}, stderr: &pulse{File: errRead},
		tail: make(chan string, 1), killed: make(chan struct{})}
	go func() { w.tail <- untrusted.LastWords(w.stderr) }()
	return w, nil
}

func closeAll(files []*os.File) {
	for _, f := range files {
		f.Close() // Close of a nil file returns an error, no more
	}
}

// say writes one line to the worker.
func (w *workerProcess) say(what any) {
	w.saying.Lock()
	defer w.saying.Unlock()
	json.NewEncoder(w.in).Encode(what)
}

// hangUp tells the worker to stop. It also unblocks a write that the worker does not read.
func (w *workerProcess) hangUp() { w.in.Close() }

// endWith tells the worker to stop when ctx ends, and kills it if it has not stopped after grace.
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
		w.kill("")
	}
}

// kill kills the worker. With a reason it is condemned: it cannot be trusted, or hangs.
func (w *workerProcess) kill(why string) {
	w.killing.Lock()
	defer w.killing.Unlock()
	if !w.wasKilled() {
		w.why = why
		close(w.killed)
		w.process.Kill()
	}
}

// condemned is the reason for which the worker was condemned, "" if it was not.
func (w *workerProcess) condemned() string {
	w.killing.Lock()
	defer w.killing.Unlock()
	return w.why
}

func (w *workerProcess) wasKilled() bool {
	select {
	case <-w.killed:
		return true
	default:
		return false
	}
}

// burial is how long the kernel may take to end a killed worker. It cannot end one in uninterruptible sleep.
const burial = time.Minute

// await waits for the worker's end; the error says how it ended. A worker that has closed its results has to end within
// grace.
func (w *workerProcess) await(ended, heard chan error, grace time.Duration) error {
	select {
	case err := <-ended:
		return err
	case told := <-heard:
		heard <- told
		timer := time.NewTimer(grace)
		defer timer.Stop()
		select {
		case err := <-ended:
			return err
		case <-timer.C:
			w.kill("the worker closed its results and did not end")
		case <-w.killed:
		}
	case <-w.killed:
	}
	timer := time.NewTimer(burial)
	defer timer.Stop()
	select {
	case err := <-ended:
		return err
	case <-timer.C:
		return errors.New("was killed, but has not ended")
	}
}

func (w *workerProcess) close() {
	w.hangUp()
	w.out.Close()
	w.stderr.Close()
}

// lastWords is the end of the worker's standard error, formatted to follow a sentence.
func (w *workerProcess) lastWords() string {
	text := <-w.tail
	if text == "" {
		return ""
	}
	return ":\n" + text
}
