package main_test

import (
	"context"
	"crypto/sha256"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"netnscheck/harness/scenario"
	"netnscheck/reports"
)

// soakRuns is how often `make soak` runs everything.
var soakRuns = flag.Int("soak", -1, "run the whole catalogue this often, beside a load (make soak)")

// loadVariable makes the test binary a load: a process that keeps all processors busy.
const loadVariable = "NETNSCHECK_TEST_LOAD"

// burn is the main function of the load. It ends with the process that started it, which holds the other end of its
// standard input.
func burn() {
	for range runtime.NumCPU() {
		go func() {
			for sum := [32]byte{}; ; sum = sha256.Sum256(sum[:]) {
			}
		}()
	}
	io.Copy(io.Discard, os.Stdin)
}

// startLoad starts the load and returns a function that ends it.
func startLoad(t *testing.T) (end func()) {
	t.Helper()
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), loadVariable+"=1")
	if _, err := cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return func() {
		cmd.Process.Kill()
		cmd.Wait()
	}
}

// TestSoak runs everything repeatedly, in random orders, four scenarios at a time, under load. It goes on after a
// failure and reports at the end, or when interrupted, what failed in which run and what was left behind.
func TestSoak(t *testing.T) {
	switch n := *soakRuns; {
	case n == -1:
		t.Skip("it takes hours: make soak")
	case n < 1:
		t.Fatalf("-soak %d: there has to be at least one run", n)
	}
	ctx, stop := signal.NotifyContext(t.Context(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	bin, dir := buildHarness(t), t.TempDir()
	loadModules(bin)
	before := census(t)
	defer startLoad(t)()
	s := soak{began: time.Now()}
	for s.runs < *soakRuns && ctx.Err() == nil {
		s.run(ctx, bin, dir, rand.Int64N(1<<31)+1)
	}
	if s.runs < *soakRuns {
		s.note("interrupted after %d of %d runs", s.runs, *soakRuns)
	}
	var left []string
	if !eventually(patience, func() bool {
		left = append(processesOf(bin, dir), difference(census(t), before)...)
		return len(left) == 0
	}) {
		s.left = append(s.left, left...)
	}
	s.summary()
	if len(s.failures)+len(s.left) > 0 {
		t.Errorf("%d failures, %d things left behind", len(s.failures), len(s.left))
	}
}

// soak holds the results of the runs so far.
type soak struct {
	began              time.Time
	runs, passed       int
	good, bad, skipped int // cases
	failures, left     []string
}

func (s *soak) note(format string, args ...any) {
	s.failures = append(s.failures, fmt.Sprintf(format, args...))
}

// run runs everything once and returns the results.
func (s *soak) run(ctx context.Context, bin, dir string, seed int64) {
	began := time.Now()
	results := filepath.Join(dir, "results")
	os.RemoveAll(results)
	cmd := exec.CommandContext(ctx, bin, "run", "--procs", "4", "--seed", strconv.FormatInt(seed, 10), "--timeout",
		"30m", "-q", "--output", results)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "TMPDIR="+dir)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 20 * time.Second
	output, err := cmd.CombinedOutput()
	if ctx.Err() != nil {
		return
	}
	s.runs++
	troubles := len(s.failures) + len(s.left)
	r, readErr := reports.ReadJSON(filepath.Join(results, "results.json"))
	if readErr != nil {
		r = &reports.Run{}
	}
	s.take(r, seed)
	if (err != nil || readErr != nil) && len(s.failures)+len(s.left) == troubles {
		s.note("run %d (--seed %d): %v, %v:\n%s", s.runs, seed, err, readErr, output)
	}
	verdict := "did not pass"
	if len(s.failures)+len(s.left) == troubles {
		verdict = "passed"
		s.passed++
	}
	n := r.Count()
	fmt.Printf("run %d of %d  --seed %d  %s: %d cases passed, %d did not, %d skipped  %.1f s\n",
		s.runs, *soakRuns, seed, verdict, n.Pass, n.Bad(), n.Skip, time.Since(began).Seconds())
}

// take records the failures and the leftovers of a run.
func (s *soak) take(r *reports.Run, seed int64) {
	at := fmt.Sprintf("run %d (--seed %d): ", s.runs, seed)
	for i := range r.Suites {
		for j := range r.Suites[i].Cases {
			c := &r.Suites[i].Cases[j]
			// what is blocked says no more than what blocks it
			if c.Outcome == scenario.Fail || c.Outcome == scenario.Error {
				s.note("%s%s “%s”: %s: %s", at, r.Suites[i].Name(), c.Name, c.Outcome, strings.TrimSpace(c.Describe()))
			}
		}
	}
	for _, p := range r.Problems {
		s.note("%s%s", at, p)
	}
	for _, l := range r.Leftovers {
		s.left = append(s.left, at+l)
	}
	n := r.Count()
	s.good, s.bad, s.skipped = s.good+n.Pass, s.bad+n.Bad(), s.skipped+n.Skip
}

func (s *soak) summary() {
	fmt.Printf("\n%d runs in %s: %d passed, %d did not\n%d cases: %d passed, %d did not, %d skipped\n", s.runs,
		time.Since(s.began).Round(time.Second), s.passed, s.runs-s.passed, s.good+s.bad+s.skipped, s.good, s.bad,
		s.skipped)
	for _, part := range []struct {
		what string
		all  []string
	}{{"failures", s.failures}, {"left behind", s.left}} {
		if len(part.all) == 0 {
			fmt.Printf("%s: none\n", part.what)
			continue
		}
		fmt.Printf("%s:\n", part.what)
		for _, text := range part.all {
			fmt.Printf("  %s\n", strings.ReplaceAll(text, "\n", "\n    "))
		}
	}
}
