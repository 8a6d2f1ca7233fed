package specrun

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/onsi/ginkgo/v2"

	"netnscheck/harness/internal/sandbox"
	"netnscheck/harness/scenario"
	"netnscheck/reports"
)

// The tests run real worker processes: this test binary, started again. The titles of a real scenario say what a
// worker's specs do; no kernel is needed.
const workerWord = "worker"

// markVariable names a named pipe on which a spec announces that it runs.
const markVariable = "SPECRUN_MARK"

func TestMain(m *testing.M) {
	if len(os.Args) == 3 && os.Args[1] == liarWord {
		lie(os.Args[2])
	}
	if len(os.Args) == 2 && os.Args[1] == workerWord {
		if err := Work(os.Stdin, os.NewFile(3, "results"), register); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// register builds specs as the suites do; the last word of a title says what the spec does.
func register(job Job, tell Tell) error {
	sc := job.Scenario
	if sc == nil {
		return registerHandWritten(job.Unit)
	}
	if strings.Contains(sc.Title, "unable") && job.Rehearse {
		return &UnableError{Cause: fmt.Errorf("make a lab: %w", syscall.ENOSPC)}
	}
	ginkgo.Describe(sc.ID+": "+sc.Title, ginkgo.Ordered, ginkgo.ContinueOnFailure, ginkgo.Label(sc.Labels()...),
		func() {
			for _, driver := range job.Drivers {
				ginkgo.Context("driver "+driver, func() {
					failed := false
					ginkgo.AfterAll(func(ctx context.Context) {
						if job.Keep && failed {
							tell.Kept(ctx, []int{4711})
						}
						if strings.Contains(sc.Title, "leaks") {
							ginkgo.Fail("take the labs down: testns is still there")
						}
					})
					for _, c := range sc.Cases(driver) {
						if !slices.Contains(job.Cases, c.ID) {
							continue
						}
						ginkgo.It(c.Name, ginkgo.Label(c.Labels()...), func(ctx context.Context) {
							r := scenario.SectionResult{
								Scenario: sc.ID, Driver: driver, Kind: scenario.StepSection, Step: c.Step,
								Title: c.Section.Title, File: sc.File, Line: c.Section.Line, Outcome: scenario.Pass,
							}
							step := &sc.Steps[c.Step-1]
							checks := step.Checks
							if c.Mistake > 0 {
								r.Kind, r.Mistake = scenario.MistakeSection, c.Mistake
								checks = step.Mistakes[c.Mistake-1].Checks
							}
							for _, k := range checks {
								r.Checks = append(r.Checks, scenario.CheckResult{Line: k.Line, Phase: "after",
									Verdict: scenario.Verdict{Outcome: scenario.Pass}})
							}
							act(ctx, &r, &failed)
						})
					}
				})
			}
		})
	return nil
}

func act(ctx context.Context, r *scenario.SectionResult, failed *bool) {
	word := r.Title[strings.LastIndexByte(r.Title, ' ')+1:]
	switch word {
	case "panics":
		panic("out of luck")
	case "dies":
		go panic("a goroutine is out of luck")
		select {}
	case "killed":
		syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {}
	case "exits":
		os.Exit(0)
	case "hangs":
		<-ctx.Done()
		r.Outcome, r.Problems = scenario.Error, []scenario.Problem{{Message: ctx.Err().Error()}}
	case "waits":
		os.WriteFile(os.Getenv(markVariable), nil, 0) // a named pipe: it waits for the test
	case "unthreaded": // in the words of Go's runtime
		fmt.Fprint(os.Stderr,
			"runtime: failed to create new OS thread (have 5 already; errno=11)\nfatal error: newosproc\n")
		os.Exit(2)
	case "limited":
		r.Outcome, r.Problems = scenario.Error, []scenario.Problem{{Message: "no more files", Limit: true}}
	case "prints":
		long := strings.Repeat("found ", 1<<20)
		r.Outcome, r.Problems = scenario.Fail, []scenario.Problem{{Message: "it failed", Found: long}}
	case "deaf":
		os.WriteFile(os.Getenv(markVariable), nil, 0) // a named pipe: the test waits for this
		select {}
	case "fails":
		r.Outcome, r.Problems = scenario.Fail, []scenario.Problem{{Message: "it failed", Expected: "a", Found: "b\x1b"}}
	case "flakes": // the first time
		if f, err := os.OpenFile(os.Getenv(markVariable), os.O_CREATE|os.O_EXCL, 0o600); err == nil {
			f.Close()
			r.Outcome, r.Problems = scenario.Fail, []scenario.Problem{{Message: "out of luck"}}
		}
	case "spoils": // not the first time
		if f, err := os.OpenFile(os.Getenv(markVariable)+".spoils", os.O_CREATE|os.O_EXCL, 0o600); err == nil {
			f.Close()
			break
		}
		r.Outcome, r.Problems = scenario.Fail, []scenario.Problem{{Message: "out of luck"}}
	case "skips":
		r.Outcome, r.Reason = scenario.Skip, "not here"
	case "blocked":
		r.Outcome, r.Reason = scenario.Blocked, "needs step 1"
	}
	ginkgo.AddReportEntry(sectionEntry, *r, ginkgo.ReportEntryVisibilityNever)
	switch r.Outcome {
	case scenario.Fail, scenario.Error:
		*failed = true
		ginkgo.Fail("told", 1)
	case scenario.Skip, scenario.Blocked:
		ginkgo.Skip(r.Reason)
	}
}

// process is a worker without a sandbox.
type process struct{ cmd *exec.Cmd }

func (p process) Wait() error {
	if err := p.cmd.Wait(); err != nil {
		return fmt.Errorf("ended by itself with %w", err)
	}
	return nil
}

func (p process) Kill()           { p.cmd.Process.Kill() }
func (p process) Met() []string   { return nil }
func (p process) Stopped() string { return sandbox.StoppedProcess("the worker", p.cmd.Process.Pid) }

func start(_ Job, in, out, stderr *os.File) (Process, error) {
	return startAs(in, out, stderr, workerWord)
}

func startAs(in, out, stderr *os.File, args ...string) (Process, error) {
	cmd := exec.Command("/proc/self/exe", args...)
	cmd.Env = append(os.Environ(), "GORACE=atexit_sleep_ms=0") // the race detector would sleep a second at each exit
	cmd.Stdin, cmd.Stderr, cmd.ExtraFiles = in, stderr, []*os.File{out}
	return process{cmd}, cmd.Start()
}

var ids atomic.Int64

// someCheck makes a heading a step. It is never judged here.
const someCheck = "- [x] namespace `host` exists\n"

// unit makes a scenario with these steps and a unique id.
func unit(t *testing.T, titles ...string) Job {
	t.Helper()
	return unitOf(t, "Title", Job{Drivers: []string{"netlink"}}, titles...)
}

func unitOf(t *testing.T, title string, job Job, titles ...string) Job {
	t.Helper()
	id := fmt.Sprintf("unit-%d", ids.Add(1))
	text := "# " + title + "\n"
	if len(titles) == 0 {
		titles = []string{"passes"}
	}
	for _, title := range titles {
		text += "\n## " + title + "\n" + someCheck
	}
	sc, err := scenario.Parse(id+".md", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	job.Unit, job.Scenario = id, sc
	return job
}

func filter(t *testing.T, labels, focus string) Filter {
	t.Helper()
	f, err := ParseFilter(labels, focus)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func mustPlan(t *testing.T, jobs ...Job) []Planned {
	t.Helper()
	return mustPlanOf(t, Filter{}, jobs...)
}

// planning is held while a plan is made: Ginkgo and the flag are those of the process.
var planning sync.Mutex

func mustPlanOf(t *testing.T, f Filter, jobs ...Job) []Planned {
	t.Helper()
	planning.Lock()
	defer planning.Unlock()
	// Ginkgo refuses to list specs under `go test -count=N`, since a suite cannot run twice. No suite runs in this
	// process.
	count := flag.Lookup("test.count").Value
	defer count.Set(count.String())
	count.Set("1")
	plan, err := Plan(jobs, f, register)
	if err != nil {
		t.Fatal(err)
	}
	return plan
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(s), "\n")
	return line
}

// outcomes are the cases of a result as `driver/title: outcome reason-or-problem`.
func outcomes(r Result) []string {
	var all []string
	for _, s := range r.Suites {
		for _, c := range s.Cases {
			text := fmt.Sprintf("%s/%s: %s", s.Driver, c.Name, c.Outcome)
			if c.Reason != "" {
				text += " " + firstLine(c.Reason)
			}
			for _, p := range c.Problems {
				text += " " + firstLine(p.Message)
			}
			all = append(all, text)
		}
	}
	return all
}

func same(t *testing.T, got, want []string) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestOutcomes(t *testing.T) {
	u := unitOf(t, "Title", Job{Drivers: []string{"iproute2", "netlink"}}, "passes", "fails", "skips", "blocked",
		"panics", "passes too")
	r := Run(t.Context(), mustPlan(t, u), Options{Start: start, Grace: time.Minute})
	var want []string
	for _, d := range []string{"iproute2", "netlink"} {
		want = append(want, d+"/passes: pass", d+"/fails: fail it failed", d+"/skips: skip not here",
			d+"/blocked: blocked needs step 1", d+"/panics: error panic: out of luck", d+"/passes too: pass")
	}
	same(t, outcomes(r), want)
	if len(r.Problems)+len(r.Leftovers) > 0 {
		t.Errorf("problems %q, leftovers %q", r.Problems, r.Leftovers)
	}
	c := r.Suites[0].Cases[1]
	if c.Step != 2 || c.Line == 0 || c.File != u.Scenario.File || c.Problems[0].Found != `b\x1b` {
		t.Errorf("the case lost something: %+v", c)
	}
	if p := r.Suites[0].Cases[4]; p.Step != 5 || p.Line == 0 ||
		!strings.Contains(p.Problems[0].Message, "specrun_test.go") {
		t.Errorf("a panic has to keep its place and its stack: %+v", p)
	}
}

func TestWorkerThatDies(t *testing.T) {
	for word, want := range map[string]string{
		"dies":   "panic: a goroutine is out of luck",
		"killed": "signal: killed",
		"exits":  "the worker ended before its specs did",
	} {
		t.Run(word, func(t *testing.T) {
			r := Run(t.Context(), mustPlan(t, unit(t, "passes", word, "never")),
				Options{Start: start, Grace: time.Minute})
			got := r.Suites[0].Cases
			if got[0].Outcome != scenario.Pass {
				t.Errorf("the case before it is lost: %+v", got[0])
			}
			for i, outcome := range []scenario.Outcome{scenario.Error, scenario.NotRun} {
				if c := got[i+1]; c.Outcome != outcome || !strings.Contains(c.Reason, want) {
					t.Errorf("%s: %s %q; want %s with %q", c.Name, c.Outcome, c.Reason, outcome, want)
				}
			}
			if len(r.Problems) != 1 {
				t.Errorf("problems: %q", r.Problems)
			}
		})
	}
}

func TestWorkerThatCannotStart(t *testing.T) {
	plan := mustPlan(t, unit(t, "passes"), unit(t, "passes"), unit(t, "passes"))
	full := fmt.Errorf("no more processes: %w", syscall.EAGAIN)
	no := func(Job, *os.File, *os.File, *os.File) (Process, error) { return nil, full }
	r := Run(t.Context(), plan, Options{Start: no, Procs: 2})
	const why = "start a worker: no more processes: resource temporarily unavailable"
	notRun := "netlink/passes: not run " + why
	same(t, outcomes(r), []string{notRun, notRun, notRun})
	if !errors.Is(r.Unable, full) || r.Cut {
		t.Errorf("unable: %v, cut short: %v", r.Unable, r.Cut)
	}

	started := 0
	r = Run(t.Context(), plan,
		Options{Grace: time.Minute, Start: func(job Job, in, out, stderr *os.File) (Process, error) {
			if started++; started == 2 {
				return nil, full
			}
			return start(job, in, out, stderr)
		}})
	same(t, outcomes(r), []string{"netlink/passes: pass", notRun, "netlink/passes: pass"})
	if r.Unable != nil || !r.Cut {
		t.Errorf("after a case has run: unable: %v, cut short: %v", r.Unable, r.Cut)
	}
}

func TestInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	o := Options{Start: start, Grace: time.Minute, Started: func(_ reports.Suite, c reports.Case) {
		if c.Name == "hangs" {
			cancel(errors.New("by a test"))
		}
	}}
	first, second := unit(t, "passes", "hangs", "never"), unit(t, "never either")
	r := Run(ctx, mustPlan(t, first, second), o)
	same(t, outcomes(r), []string{
		"netlink/passes: pass", "netlink/hangs: not run interrupted: by a test",
		"netlink/never: not run interrupted: by a test",
		"netlink/never either: not run interrupted: by a test",
	})
	same(t, r.Problems, []string{"interrupted: by a test"})
}

// TestDeafWorkerIsKilled: Ginkgo waits for a spec that does not listen, so the worker has to be killed.
func TestDeafWorkerIsKilled(t *testing.T) {
	mark := filepath.Join(t.TempDir(), "mark")
	if err := syscall.Mkfifo(mark, 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv(markVariable, mark)
	ctx, cancel := context.WithCancelCause(t.Context())
	go func() {
		os.ReadFile(mark)
		cancel(errors.New("by a test"))
	}()
	o := Options{Start: start, Grace: 100 * time.Millisecond}
	began := time.Now()
	r := Run(ctx, mustPlan(t, unit(t, "deaf")), o)
	if took := time.Since(began); took > grace {
		t.Errorf("it took %v", took)
	}
	same(t, outcomes(r), []string{"netlink/deaf: not run interrupted: by a test"})
	if len(r.Problems) != 2 || !strings.Contains(r.Problems[1], "did not stop by itself") {
		t.Errorf("problems: %q", r.Problems)
	}
}

// TestOuterProcessIsGone: the end of its standard input tells a worker to stop and clean up.
func TestOuterProcessIsGone(t *testing.T) {
	u := unit(t, "hangs", "never")
	in, out, errors := pipe(t), pipe(t), pipe(t)
	u = mustPlan(t, u)[0].Job
	p, err := start(u, in.read, out.write, errors.write)
	if err != nil {
		t.Fatal(err)
	}
	out.write.Close()
	w := &workerProcess{in: in.write}
	w.say(u)
	buf := make([]byte, 4096)
	if n, err := out.read.Read(buf); err != nil || !strings.Contains(string(buf[:n]), string(eventStart)) {
		t.Fatalf("read %q, %v", buf[:n], err)
	}
	in.write.Close()
	if err := p.Wait(); err != nil {
		t.Errorf("the worker ended with %v", err)
	}
}

type pipeEnds struct{ read, write *os.File }

func pipe(t *testing.T) pipeEnds {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close(); w.Close() })
	return pipeEnds{r, w}
}

func TestFailFast(t *testing.T) {
	first := unitOf(t, "Title", Job{Drivers: []string{"iproute2", "netlink"}, FailFast: true}, "passes", "fails",
		"never")
	second := unitOf(t, "Title", Job{Drivers: []string{"netlink"}, FailFast: true}, "never")
	r := Run(t.Context(), mustPlan(t, first, second), Options{Start: start, Grace: time.Minute, FailFast: true})
	skip := ": not run " + NotRunFailFast
	same(t, outcomes(r), []string{
		"iproute2/passes: pass", "iproute2/fails: fail it failed", "iproute2/never" + skip,
		"netlink/passes" + skip, "netlink/fails" + skip, "netlink/never" + skip, "netlink/never" + skip,
	})
	if len(r.Problems) > 0 {
		t.Errorf("problems: %q", r.Problems)
	}
}

func TestLeftBehind(t *testing.T) {
	u := unitOf(t, "It leaks", Job{Drivers: []string{"netlink"}}, "passes", "passes too")
	r := Run(t.Context(), mustPlan(t, u), Options{Start: start, Grace: time.Minute})
	want := "take the labs down: testns is still there"
	same(t, outcomes(r), []string{"netlink/passes: pass", "netlink/passes too: error " + want})
	same(t, r.Leftovers, []string{u.Unit + ": " + want})
}

func TestKept(t *testing.T) {
	u := unitOf(t, "Title", Job{Drivers: []string{"netlink"}, Keep: true}, "fails", "passes")
	var told []string
	ended := false
	o := Options{Start: start, Grace: time.Minute,
		Kept: func(_ context.Context, k KeptLabs) {
			told = append(told, fmt.Sprint(k.Unit, ": ", k.Threads))
			told = append(told, k.Failures...)
			if ended {
				t.Error("the last case ended while its lab was kept")
			}
		},
		Ended: func(_ reports.Suite, c reports.Case) { ended = ended || c.Name == "passes" },
	}
	r := Run(t.Context(), mustPlan(t, u), o)
	same(t, told, []string{u.Unit + ": [4711]", "fails (netlink)\nit failed: expected a, found b\\x1b"})
	same(t, outcomes(r), []string{"netlink/fails: fail it failed", "netlink/passes: pass"})
}

func TestSameResultWhateverTheParallelism(t *testing.T) {
	var jobs []Job
	for range 5 {
		jobs = append(jobs, unitOf(t, "Title", Job{Drivers: []string{"iproute2", "netlink"}}, "passes", "fails",
			"blocked"))
	}
	plan := mustPlan(t, jobs...)
	one := Run(t.Context(), plan, Options{Start: start, Grace: time.Minute, Procs: 1})
	four := Run(t.Context(), plan, Options{Start: start, Grace: time.Minute, Procs: 4})
	same(t, outcomes(four), outcomes(one))
	for i := range one.Suites {
		if one.Suites[i].Name() != four.Suites[i].Name() {
			t.Errorf("suite %d is %s, with four workers %s", i, one.Suites[i].Name(), four.Suites[i].Name())
		}
	}
}

func TestFilters(t *testing.T) {
	const text = "# Title\n\n## first step\n" + someCheck + "\n### Mistake: a typo\n" + someCheck +
		"\n## second step\n" + someCheck
	for name, c := range map[string]struct {
		labels, focus string
		want          []string
	}{
		"all":     {"", "", []string{"first step", "first step / Mistake: a typo", "second step"}},
		"label":   {"mistake", "", []string{"first step / Mistake: a typo"}},
		"focus":   {"", "second", []string{"second step"}},
		"both":    {"step && netlink", "first", []string{"first step"}},
		"text":    {"", "driver netlink first step$", []string{"first step"}},
		"nothing": {"busybox", "", nil},
	} {
		t.Run(name, func(t *testing.T) {
			u := unitOf(t, "Title", Job{Drivers: []string{"netlink"}})
			sc, err := scenario.Parse(u.Scenario.File, []byte(text))
			if err != nil {
				t.Fatal(err)
			}
			u.Scenario = sc
			plan := mustPlanOf(t, filter(t, c.labels, c.focus), u)
			if c.want == nil {
				if len(plan) != 0 {
					t.Errorf("planned %d units", len(plan))
				}
				return
			}
			r := Run(t.Context(), plan, Options{Start: start, Grace: time.Minute})
			var names []string
			for _, k := range r.Suites[0].Cases {
				names = append(names, k.Name)
				if k.Outcome != scenario.Pass {
					t.Errorf("%s: %s %s", k.Name, k.Outcome, k.Reason)
				}
			}
			same(t, names, c.want)
		})
	}
}

func TestParseFilter(t *testing.T) {
	for _, c := range []struct{ labels, focus, want string }{
		{"step && !netlink", "a|b", ""},
		{"step && (", "", "--label-filter"},
		{"", "a(", "--focus"},
	} {
		_, err := ParseFilter(c.labels, c.focus)
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q, %q: %v", c.labels, c.focus, err)
		}
	}
}

func TestEqualNamesAreNumbered(t *testing.T) {
	plan := mustPlan(t, unit(t, "again", "again", "other"))
	var names []string
	for _, c := range plan[0].Suites[0].Cases {
		names = append(names, c.Name)
	}
	same(t, names, []string{"again", "again (2)", "other"})
	r := Run(t.Context(), plan, Options{Start: start, Grace: time.Minute})
	same(t, outcomes(r), []string{"netlink/again: pass", "netlink/again (2): pass", "netlink/other: pass"})
}
