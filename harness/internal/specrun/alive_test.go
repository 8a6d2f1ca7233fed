package specrun

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"netnscheck/harness/internal/untrusted"
	"netnscheck/harness/scenario"
	"netnscheck/reports"
)

// mark makes a named pipe on which a worker's spec announces that it runs, and waits until it may go on.
func mark(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "mark")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv(markVariable, path)
	return path
}

// letGo lets the waiting spec go on.
func letGo(t *testing.T, mark string) {
	t.Helper()
	if _, err := os.ReadFile(mark); err != nil {
		t.Error(err)
	}
}

// watched is a worker that counts the looks that found it stopped.
type watched struct {
	process
	stopped *atomic.Int64
}

func (w watched) Stopped() string {
	what := w.process.Stopped()
	if what != "" {
		w.stopped.Add(1)
	}
	return what
}

// TestStoppedWorker: a stopped worker is killed after that many looks in a row. What it had sent before may still be read
// after the first of them, and then they begin anew.
func TestStoppedWorker(t *testing.T) {
	mark(t)
	var worker watched
	stopped := &atomic.Int64{}
	o := Options{Grace: time.Minute, patience: patience{every: 20 * time.Millisecond, stopped: 10, silent: 1 << 20},
		Start: func(job Job, in, out, stderr *os.File) (Process, error) {
			p, err := start(job, in, out, stderr)
			worker = watched{p.(process), stopped}
			return worker, err
		},
		Started: func(_ reports.Suite, c reports.Case) {
			if c.Name == "waits" {
				worker.cmd.Process.Signal(syscall.SIGSTOP)
			}
		},
	}
	r := Run(t.Context(), mustPlan(t, unit(t, "passes", "waits", "never")), o)
	const why = "the worker was stopped (SIGSTOP) and did not go on within 200ms"
	same(t, outcomes(r), []string{
		"netlink/passes: pass", "netlink/waits: error " + why, "netlink/never: not run " + why,
	})
	if n := stopped.Load(); n < 10 || !r.Cut {
		t.Errorf("it was seen stopped %d times; cut short: %v", n, r.Cut)
	}
}

// TestWorkerThatGoesOn: a worker that is stopped and continued again and again completes.
func TestWorkerThatGoesOn(t *testing.T) {
	pipe := mark(t)
	var worker watched
	stopped := &atomic.Int64{}
	o := Options{Grace: time.Minute, patience: patience{every: 20 * time.Millisecond, stopped: 1 << 20,
		silent: 1 << 20},
		Start: func(job Job, in, out, stderr *os.File) (Process, error) {
			p, err := start(job, in, out, stderr)
			worker = watched{p.(process), stopped}
			return worker, err
		},
		Started: func(_ reports.Suite, c reports.Case) {
			if c.Name != "waits" {
				return
			}
			go func() {
				for range 3 {
					seen := stopped.Load()
					worker.cmd.Process.Signal(syscall.SIGSTOP)
					for stopped.Load() < seen+5 {
						runtime.Gosched()
					}
					worker.cmd.Process.Signal(syscall.SIGCONT)
				}
				letGo(t, pipe)
			}()
		},
	}
	r := Run(t.Context(), mustPlan(t, unit(t, "waits", "passes")), o)
	same(t, outcomes(r), []string{"netlink/waits: pass", "netlink/passes: pass"})
}

// TestSlowWorker: a worker under load that sends nothing but signs of life is left alone for much longer than the limit
// for silence.
func TestSlowWorker(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: it keeps all processors busy for seconds")
	}
	pipe := mark(t)
	for range 4 * runtime.NumCPU() {
		load := exec.Command("sh", "-c", "while :; do :; done")
		if err := load.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { load.Process.Kill(); load.Wait() })
	}
	const silence = 8 * time.Second
	o := Options{Grace: time.Minute, patience: patience{every: silence / 60, stopped: 10, silent: 60},
		Start: start,
		Started: func(_ reports.Suite, c reports.Case) {
			if c.Name == "waits" {
				time.AfterFunc(2*silence, func() { letGo(t, pipe) }) // no event marks that nothing happened
			}
		},
	}
	r := Run(t.Context(), mustPlan(t, unit(t, "waits", "passes")), o)
	same(t, outcomes(r), []string{"netlink/waits: pass", "netlink/passes: pass"})
}

// TestWorkerWithoutRoom: a limit that the first unit meets before any result is the machine's; a later one belongs to
// its case.
func TestWorkerWithoutRoom(t *testing.T) {
	for word, want := range map[string]error{"unthreaded": syscall.EAGAIN, "unable": syscall.ENOSPC, "limited": nil} {
		t.Run(word, func(t *testing.T) {
			first := unit(t, word)
			first.Shared = true // in a sandbox a limit says nothing about the machine
			if word == "unable" {
				first = unitOf(t, "It is unable", Job{Drivers: []string{"netlink"}})
			}
			r := Run(t.Context(), mustPlan(t, first, unit(t, "passes")), Options{Start: start, Grace: time.Minute})
			if r.Unable == nil || want != nil && !errors.Is(r.Unable, want) {
				t.Errorf("unable: %v, want %v", r.Unable, want)
			}
			for _, line := range outcomes(r) {
				if !strings.Contains(line, ": not run ") {
					t.Errorf("it was run: %s", line)
				}
			}
			if word == "unable" {
				return
			}
			r = Run(t.Context(), mustPlan(t, unit(t, "passes", word)), Options{Start: start, Grace: time.Minute})
			c := r.Suites[0].Cases
			if r.Unable != nil || !r.Cut || c[0].Outcome != scenario.Pass || c[1].Outcome != scenario.Error {
				t.Errorf("after a case had passed: unable %v, cut short %v, %+v", r.Unable, r.Cut, c)
			}
		})
	}
}

// TestLargeResults: the texts of a result are truncated to fit a message; a result that still does not fit is an error,
// never a pass.
func TestLargeResults(t *testing.T) {
	r := Run(t.Context(), mustPlan(t, unit(t, "prints")), Options{Start: start, Grace: time.Minute})
	c := r.Suites[0].Cases[0]
	if c.Outcome != scenario.Fail || len(c.Problems) != 1 {
		t.Fatalf("the result is %s, with %d problems", c.Outcome, len(c.Problems))
	}
	if found := c.Problems[0].Found; len(found) > untrusted.TextSize || !strings.HasSuffix(found, untrusted.CutMark) {
		t.Errorf("%d bytes are left of a text: %.50q", len(found), found)
	}

	many := scenario.SectionResult{}
	many.Outcome, many.Checks = scenario.Pass, make([]scenario.CheckResult, 40)
	for i := range many.Checks {
		many.Checks[i].Found = strings.Repeat("ä\"", untrusted.TextSize)
	}
	line, err := encode(message{Event: eventEnd, Key: "x", Case: &many})
	if err != nil || len(line) > messageSize {
		t.Fatalf("%d bytes, %v", len(line), err)
	}
	if many.Outcome != scenario.Pass || !strings.HasSuffix(many.Checks[39].Found, untrusted.CutMark) {
		t.Errorf("%s, and the last check found %.50q", many.Outcome, many.Checks[39].Found)
	}

	many.Checks = make([]scenario.CheckResult, 20000)
	line, err = encode(message{Event: eventEnd, Key: "x", Case: &many})
	if err != nil || len(line) > messageSize {
		t.Fatalf("%d bytes, %v", len(line), err)
	}
	if many.Outcome != scenario.Error || !strings.Contains(many.Problems[0].Message, "20000 checks") {
		t.Errorf("%+v", many)
	}
}
