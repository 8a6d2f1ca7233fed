package vm

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"netnscheck/harness/internal/cmd/guests"
	"netnscheck/harness/internal/cmd/play"
	"netnscheck/harness/internal/cmd/screen"
	"netnscheck/harness/internal/cmd/status"
	"netnscheck/harness/internal/vm/machine"
	"netnscheck/harness/internal/vm/matrix"
	"netnscheck/harness/scenario"
	"netnscheck/reports"
)

// TestVerdict: the end of a kernel fails a run whose cases all passed; a guest that could not start is told apart.
func TestVerdict(t *testing.T) {
	const pass, fail = scenario.Pass, scenario.Fail
	run := func(class string, outcomes ...scenario.Outcome) *reports.Run {
		return &reports.Run{Guests: []reports.Guest{{Name: "a", Class: "passed"}, {Name: "b", Class: class}},
			Suites: []reports.Suite{suiteOf("a", pass), suiteOf("b", outcomes...)}}
	}
	problem := run("failed", pass)
	problem.Problems = []string{"b: every case passed, but the harness in the guest failed"}
	unmet := func(r *reports.Run) *reports.Run {
		r.Problems, r.Unmet = append(r.Problems, "b: --max-skips 0: 1 case was skipped"), 1
		return r
	}
	for name, c := range map[string]struct {
		run  *reports.Run
		want int
	}{
		"a demand":                  {unmet(run("passed", pass, scenario.Skip)), status.Cannot},
		"a demand, and a failure":   {unmet(run("failed", pass, fail)), status.Failed},
		"a demand, and a hang":      {unmet(run("hang", pass)), status.Failed},
		"all pass":                  {run("passed", pass, scenario.Skip), status.Passed},
		"a case fails":              {run("failed", pass, fail), status.Failed},
		"a warning":                 {run("WARN", pass), status.Failed},
		"a panic":                   {run("panic", pass), status.Failed},
		"no result":                 {run("no result", pass), status.Cut},
		"a problem":                 {problem, status.Failed},
		"could not start":           {run(guests.NotStarted, scenario.Error), status.Cannot},
		"nothing ran on one kernel": {run("passed", scenario.Skip), status.Cannot},
		"nothing ran anywhere": {&reports.Run{Guests: []reports.Guest{{Name: "a", Class: "passed"}},
			Suites: []reports.Suite{suiteOf("a", scenario.Skip)}}, status.Cannot},
	} {
		t.Run(name, func(t *testing.T) {
			if got, _ := status.Of(verdict(t.Context(), c.run, nil)); got != c.want {
				t.Errorf("the exit status is %d, want %d", got, c.want)
			}
		})
	}
	both := run(guests.NotStarted, scenario.Error)
	both.Suites[0].Cases[0].Outcome = fail
	if got, _ := status.Of(verdict(t.Context(), both, nil)); got != status.Failed {
		t.Errorf("a failure beside a guest that could not start: %d", got)
	}
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if got, _ := status.Of(verdict(ctx, run("passed", pass), nil)); got != status.Cut {
		t.Errorf("interrupted, and all cases passed: %d", got)
	}
	lost := errors.New("write the report x: no space left on device")
	if got, silent := status.Of(verdict(t.Context(), run("passed", pass), lost)); got != status.Cut || silent {
		t.Errorf("a report is lost: status %d, and the loss is not told: %v", got, silent)
	}
}

// TestBusy: a row for whose drivers nothing is chosen boots no guest.
func TestBusy(t *testing.T) {
	choice := play.Choice{Names: []string{"veth-pair"}}
	what, err := choice.Read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	plan, err := play.PlanWith(what, play.Settings{}, []string{"netlink", "busybox"})
	if err != nil {
		t.Fatal(err)
	}
	only := slices.DeleteFunc(plan[0].Suites, func(s reports.Suite) bool { return s.Driver != "busybox" })
	plan[0].Suites = only
	rows, suites, without, err := busy([]matrix.Row{{Kernel: "6.1", Drivers: []string{"netlink"}},
		{Kernel: "6.12", Drivers: []string{"netlink", "busybox"}}}, plan)
	if err != nil || len(rows) != 1 || rows[0].Kernel != "6.12" || len(suites) != 1 || suites[0].Guest != "6.12" ||
		!slices.Equal(without, []string{"6.1"}) {
		t.Errorf("the rows are %v, left out are %q; %v", rows, without, err)
	}
}

// TestLongestFirst: guests with the most cases begin first, and those with as many in their order.
func TestLongestFirst(t *testing.T) {
	rows := []matrix.Row{{Kernel: "5.10"}, {Kernel: "6.1"}, {Kernel: "6.12"}, {Kernel: "newest"}}
	suites := []reports.Suite{
		{Guest: "5.10", Cases: make([]reports.Case, 2)}, {Guest: "6.1", Cases: make([]reports.Case, 2)},
		{Guest: "6.12", Cases: make([]reports.Case, 2)}, {Guest: "newest", Cases: make([]reports.Case, 1)},
		{Guest: "newest", Cases: make([]reports.Case, 2)},
	}
	if got := longestFirst(rows, suites); !slices.Equal(got, []int{3, 0, 1, 2}) {
		t.Errorf("the order is %v", got)
	}
}

// TestShellEnd: a panic is told although the shell had a status.
func TestShellEnd(t *testing.T) {
	for name, c := range map[string]struct {
		end  machine.End
		err  error
		want int
	}{
		"passed":           {machine.End{Class: machine.Passed}, nil, status.Passed},
		"the lab's status": {machine.End{Class: machine.Failed, Status: 4}, nil, 4},
		"a warning, and a status": {machine.End{Class: machine.Warn, Words: "WARNING: x", Status: 4}, nil,
			status.Failed},
		"a panic, and a full disk": {machine.End{Class: machine.Panic, Status: -1}, errors.New("full"), status.Failed},
		"could not start":          {machine.End{Class: machine.NotStarted, Status: -1}, nil, status.Cannot},
		"no kernel":                {machine.End{}, status.Usagef("there is no such kernel"), status.Cannot},
	} {
		err := shellEnd("6.1", c.end, c.err)
		if got, _ := status.Of(err); got != c.want {
			t.Errorf("%s: %v, exit status %d, want %d", name, err, got, c.want)
		}
	}
}

// TestFlagsWithoutEffect: what a mode has no use for is refused, and each such flag exists.
func TestFlagsWithoutEffect(t *testing.T) {
	for _, mode := range []string{"--shell", "--features"} {
		for _, flag := range ofPlaying {
			c := Command(screen.Plain(io.Discard, io.Discard, false))
			f := c.Flags().Lookup(flag)
			if f == nil {
				t.Fatalf("there is no --%s", flag)
			}
			arg := "--" + flag
			switch f.Value.Type() {
			case "bool":
			case "int", "int64":
				arg += "=1"
			default:
				arg += "=netlink"
			}
			args := []string{mode, arg}
			if mode == "--shell" {
				args = append(args, "--kernel", "6.1")
			}
			c.SetArgs(args)
			c.SilenceErrors, c.SilenceUsage = true, true
			err := c.ExecuteContext(t.Context())
			if got, _ := status.Of(err); got != status.Usage || !strings.Contains(err.Error(), "no effect") {
				t.Errorf("%s %s: %v", mode, arg, err)
			}
		}
	}
}

// TestFeaturesOfSomeKernels: the table of some kernels would take the place of that of all.
func TestFeaturesOfSomeKernels(t *testing.T) {
	c := Command(screen.Plain(io.Discard, io.Discard, false))
	c.SetArgs([]string{"--features", "--kernel", "6.1"})
	c.SilenceErrors, c.SilenceUsage = true, true
	err := c.ExecuteContext(t.Context())
	if got, _ := status.Of(err); got != status.Usage || !strings.Contains(err.Error(), "not with --kernel") {
		t.Errorf("exit status %d: %v", got, err)
	}
}
