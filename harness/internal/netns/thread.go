package netns

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"netnscheck/harness/internal/sandbox"
)

// errThreadEnded is the error of calls after the thread of a World has ended.
var errThreadEnded = errors.New("the lab is closed")

// thread is an OS thread with its own namespaces, on which functions run one after the other. No other code ever runs
// on it.
type thread struct {
	tid     int
	jobs    chan *job
	stop    chan struct{} // closed to let the thread finish
	leaving sync.Once     // closes stop
	// ended is closed when the thread takes no more jobs; lost is the reason, nil after a regular end.
	ended chan struct{}
	lost  error
}

type job struct {
	f        func() error
	err      error
	panicked any
	returned bool // false: f ended its goroutine by runtime.Goexit, or panicked
	done     chan struct{}
}

// lostError is the error of a function after which the thread could not return to its own namespaces.
type lostError struct{ cause error }

func (e *lostError) Error() string { return e.cause.Error() }
func (e *lostError) Unwrap() error { return e.cause }

// newThread starts a thread and runs setup on it.
func newThread(setup func() error) (*thread, error) {
	t := &thread{jobs: make(chan *job), stop: make(chan struct{}), ended: make(chan struct{})}
	ready := make(chan error)
	sandbox.OnNewThread(func() {
		t.tid = unix.Gettid()
		err := setup()
		ready <- err
		if err == nil {
			t.loop()
		}
	})
	if err := <-ready; err != nil {
		return nil, err
	}
	return t, nil
}

func (t *thread) loop() {
	defer close(t.ended)
	for {
		select {
		case <-t.stop:
			return
		case j := <-t.jobs:
			// If the job ends this goroutine (runtime.Goexit), the thread ends with it and this value stays.
			t.lost = errors.New("a function that ran in the lab ended its goroutine")
			j.run()
			t.lost = nil
			var lost *lostError
			if errors.As(j.err, &lost) {
				t.lost = lost
				return
			}
		}
	}
}

// run runs the job. It closes done whatever f does.
func (j *job) run() {
	defer close(j.done)
	defer func() { j.panicked = recover() }()
	j.err = j.f()
	j.returned = true
}

// outcome returns the result of f; a panic of f continues in the caller.
func (j *job) outcome() error {
	switch {
	case j.panicked != nil:
		panic(j.panicked)
	case !j.returned:
		return errors.New("run a function in the lab: it ended its goroutine")
	}
	return j.err
}

// do runs f on the thread and waits for it. A panic of f continues in the caller.
func (t *thread) do(f func() error) error {
	if unix.Gettid() == t.tid {
		return errors.New("run a function in the lab: it is called from a function that already runs there")
	}
	j := &job{f: f, done: make(chan struct{})}
	select {
	case t.jobs <- j:
	case <-t.ended:
		return t.endedError()
	}
	<-j.done
	var lost *lostError
	if j.panicked == nil && !j.returned || errors.As(j.err, &lost) {
		<-t.ended // so that the next call knows
	}
	return j.outcome()
}

func (t *thread) endedError() error {
	if t.lost != nil {
		return fmt.Errorf("%w: %w", errThreadEnded, t.lost)
	}
	return errThreadEnded
}

// leave lets the thread finish and does not wait for it.
func (t *thread) leave() { t.leaving.Do(func() { close(t.stop) }) }

// end lets the thread finish and waits until it has left its namespaces.
func (t *thread) end(limit time.Duration) error {
	t.leave()
	<-t.ended
	task := fmt.Sprintf("/proc/self/task/%d", t.tid)
	return await(limit, func() error {
		// An exiting thread gives up its namespaces, and with them these links, before it disappears from /proc
		// (exit_task_namespaces in do_exit, kernel/exit.c).
		if _, err := os.Readlink(task + "/ns/net"); err != nil {
			return nil
		}
		return fmt.Errorf("end thread %d: it is still there", t.tid)
	})
}

// onThrowawayThread is sandbox.OnNewThread, but it waits for f, and a panic of f continues in the caller.
func onThrowawayThread(f func() error) error {
	j := &job{f: f, done: make(chan struct{})}
	sandbox.OnNewThread(j.run)
	<-j.done
	return j.outcome()
}

// await calls ask until it returns nil, at most for limit, and returns its last result. The pauses between the calls
// grow.
func await(limit time.Duration, ask func() error) error {
	deadline := time.Now().Add(limit)
	for pause := 20 * time.Microsecond; ; pause = min(2*pause, 20*time.Millisecond) {
		err := ask()
		if err == nil || time.Now().After(deadline) {
			return err
		}
		if pause < time.Millisecond {
			// In an idle process the runtime's timers have a resolution of a millisecond (epoll_wait(2)).
			unix.Nanosleep(&unix.Timespec{Nsec: pause.Nanoseconds()}, nil)
		} else {
			time.Sleep(pause)
		}
	}
}
