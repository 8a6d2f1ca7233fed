package guests

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"netnscheck/harness/internal/cmd/play"
	"netnscheck/harness/internal/cmd/status"
	"netnscheck/harness/internal/kernelfault"
	"netnscheck/harness/internal/specrun"
	"netnscheck/harness/internal/vm/kernels"
	vm "netnscheck/harness/internal/vm/machine"
	"netnscheck/harness/internal/vm/matrix"
	"netnscheck/harness/internal/vm/programs"
	"netnscheck/harness/internal/vm/store"
	"netnscheck/harness/internal/vm/wire"
	"netnscheck/harness/scenario"
	"netnscheck/reports"
)

const release = "6.12.118-amd64"

// playing is a guest that plays the first lesson by netlink, with what it has told so far.
func playing(t *testing.T) *guest {
	t.Helper()
	choice := play.Choice{Names: []string{"veth-pair"}}
	what, err := choice.Read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	plan, err := play.PlanWith(what, play.Settings{}, []string{"netlink"})
	if err != nil {
		t.Fatal(err)
	}
	account, err := specrun.NewElsewhere(plan, []string{"netlink"})
	if err != nil {
		t.Fatal(err)
	}
	return &guest{row: matrix.Row{Kernel: "6.12"}, work: NewWork(&choice, what, plan), account: account,
		tell: func(News) {}, kernel: kernels.Kernel{Release: release, Package: "linux-image"}, clock: "virtual time"}
}

// plays tells of the next n cases as if each had this outcome.
func (g *guest) plays(n int, outcome scenario.Outcome) {
	s := &g.account.Suites[0]
	for i := g.account.Ended(); n > 0 && i < len(s.Cases); i, n = i+1, n-1 {
		c := s.Cases[i]
		c.Outcome, c.Reason = outcome, "because"
		g.take(vm.Event{Begin: &vm.Place{Suite: s.Name(), Name: c.Name}})
		g.take(vm.Event{Case: &vm.Case{Suite: s.Name(), Case: c}})
	}
}

// finishes tells what a run tells at its end.
func (g *guest) finishes() {
	g.take(vm.Event{Run: &reports.Run{Properties: []reports.Property{{Name: "kernel", Value: release},
		{Name: reports.Pace, Value: "11.0"}}}})
}

// skip is the only outcome that needs no checks to be believed, beside those that are bad.
const skip, blocked = scenario.Skip, scenario.Blocked

func TestPlayed(t *testing.T) {
	const all = 100
	for name, c := range map[string]struct {
		told       func(g *guest)
		end        vm.End
		err        error
		class      string
		words      string // in the words of the guest
		ended, not int    // cases that keep their result, and that were not run
		problem    string
	}{
		"to the end": {told: func(g *guest) { g.plays(all, skip); g.finishes() }, end: vm.End{Class: vm.Passed},
			class: "passed", ended: 19},
		"a hang keeps what was told": {told: func(g *guest) { g.plays(7, skip) },
			end: vm.End{Class: vm.Hang, Words: "nothing was heard for 15m"}, class: "hang", words: "nothing was heard",
			ended: 7, not: 12},
		"killed in a case": {told: func(g *guest) {
			g.plays(3, skip)
			g.take(vm.Event{Begin: &vm.Place{Suite: "veth-pair.netlink", Name: g.account.Suites[0].Cases[3].Name}})
		}, end: vm.End{Class: vm.Panic, Words: "the kernel panicked"}, class: "panic", words: "while veth-pair.netlink “",
			ended: 3, not: 15},
		"it ends too early": {told: func(g *guest) { g.plays(5, skip); g.finishes() }, end: vm.End{Class: vm.Passed},
			class: "no result", words: "after 5 of 19 cases", ended: 5, not: 14},
		"it could not start": {told: func(*guest) {}, err: &vm.CannotError{Package: "qemu-system-x86",
			Cause: errors.New("no qemu")}, class: "could not start", words: "install qemu-system-x86", not: 19},
		"a panic whose evidence is cut short": {told: func(g *guest) { g.plays(3, blocked) },
			end: vm.End{Class: vm.Panic, Words: "the kernel panicked"}, err: errors.New("read the evidence: unexpected EOF"),
			class: "panic", words: "the kernel panicked; read the evidence: unexpected EOF", ended: 3, not: 16},
		"a failed case, and the disk is full": {
			told: func(g *guest) { g.plays(1, blocked); g.plays(all, skip); g.finishes() },
			end:  vm.End{Class: vm.Failed}, err: errors.New("keep the console: no space left on device"),
			class: "no result", words: "no space left", ended: 19},
		"a warning, and all is well": {told: func(g *guest) { g.plays(all, skip); g.finishes() },
			end: vm.End{Class: vm.Warn, Words: "it warned"}, class: "WARN", ended: 19},
		"another kernel": {told: func(g *guest) {
			g.plays(all, skip)
			g.take(vm.Event{Run: &reports.Run{Properties: []reports.Property{{Name: "kernel", Value: "6.12.119-amd64"}}}})
		}, end: vm.End{Class: vm.Passed}, class: "no result", words: `"6.12.119-amd64", not ` + release, ended: 19},
		"a lie": {told: func(g *guest) {
			g.take(vm.Event{Begin: &vm.Place{Suite: "x", Name: "y\x1b[31m"}})
			g.plays(all, skip)
			g.finishes()
		}, end: vm.End{Class: vm.Passed}, class: "no result", words: "not in the plan", ended: 19},
		"it says passed, and a case did not": {told: func(g *guest) { g.plays(1, blocked); g.plays(all, skip); g.finishes() },
			end: vm.End{Class: vm.Passed}, class: "failed", ended: 19},
		"the harness in it was cut short": {told: func(g *guest) { g.plays(2, blocked); g.finishes() },
			end:   vm.End{Class: vm.Failed, Status: status.Cut, Words: "the harness ended with status 5"},
			class: "no result", words: "cut short: the harness ended with status 5", ended: 2, not: 17},
		"nothing could be run there": {told: func(g *guest) { g.plays(all, skip); g.finishes() },
			end:   vm.End{Class: vm.Failed, Status: status.Cannot, Words: "the harness ended with status 3"},
			class: "passed", words: "every case was skipped", ended: 19},
		"a demand that was not met": {told: func(g *guest) {
			g.plays(all, skip)
			g.take(vm.Event{Run: &reports.Run{Properties: []reports.Property{{Name: "kernel", Value: release}},
				Problems: []string{"--max-skips 3: 19 cases were skipped"}, Unmet: 1}})
		}, end: vm.End{Class: vm.Failed, Status: status.Cannot}, class: "passed", ended: 19,
			problem: "6.12: --max-skips 3: 19 cases were skipped"},
		"a demand that it cannot meet": {told: func(g *guest) {
			g.work.demanding = true
			g.take(vm.Event{Output: "harness: play what --require wants: vxlan: no module"})
		}, end: vm.End{Class: vm.Failed, Status: status.Cannot}, class: "could not start",
			words: "--require wants: vxlan: no module", not: 19},
		"it says failed, and no case did": {told: func(g *guest) {
			g.plays(all, skip)
			g.finishes()
			g.take(vm.Event{Output: "harness: left behind\n"})
		}, end: vm.End{Class: vm.Failed, Words: "exit status 4"}, class: "failed", ended: 19,
			problem: "6.12: every case passed, but the harness in the guest failed: exit status 4; its last line: " +
				"harness: left behind"},
	} {
		t.Run(name, func(t *testing.T) {
			g := playing(t)
			completed := 0
			c.told(g)
			g.tell = func(n News) {
				if n.Ended != nil {
					completed++
				}
			}
			p := g.played(context.Background(), c.end, c.err)
			if p.Guest.Class != c.class || !strings.Contains(p.Guest.Words, c.words) {
				t.Errorf("it ended as %q: %q; want %q with %q", p.Guest.Class, p.Guest.Words, c.class, c.words)
			}
			if strings.Contains(p.Guest.Words, "\x1b") {
				t.Error("what it says is printed as it is")
			}
			total, kept, not := 0, 0, 0
			for _, s := range p.Suites {
				if s.Guest != "6.12" {
					t.Errorf("a suite is of %q", s.Guest)
				}
				for _, one := range s.Cases {
					total++
					switch {
					case one.Outcome == scenario.NotRun:
						not++
					case one.Outcome == skip, one.Outcome == blocked:
						kept++
					}
				}
			}
			if total != 19 || kept != c.ended || not != c.not {
				t.Errorf("of %d cases %d keep their result and %d were not run; want 19, %d, %d", total, kept, not, c.ended,
					c.not)
			}
			if completed != 19-c.ended {
				t.Errorf("%d cases without a result were told of", completed)
			}
			if got := strings.Join(p.Problems, "\n"); got != c.problem {
				t.Errorf("the problems are %q, want %q", got, c.problem)
			}
		})
	}
}

func TestInterrupted(t *testing.T) {
	g := playing(t)
	g.plays(4, skip)
	ctx, stop := context.WithCancelCause(t.Context())
	stop(errors.New("by SIGINT"))
	p := g.played(ctx, vm.End{Class: vm.NoResult}, context.Canceled)
	if !p.Guest.Bad() || p.Unable || !strings.Contains(p.Guest.Words, "interrupted: by SIGINT") {
		t.Errorf("it is %+v", p.Guest)
	}
	notRun := func(c reports.Case) bool { return c.Outcome == scenario.NotRun }
	if n := slices.IndexFunc(p.Suites[0].Cases, notRun); n != 4 {
		t.Errorf("the first case that was not run is %d", n)
	}
}

// TestProperties: the kernel's own come first, and what a guest says of them is not taken for them.
func TestProperties(t *testing.T) {
	g := playing(t)
	g.finishes()
	g.without = []reports.Property{{Name: "missing modules", Value: "sch_tbf"}, {Name: "missing programs"}}
	end := vm.End{Ready: &wire.Ready{Uptime: 2, Taint: 1 << 9, Lacking: []string{"module veth: no memory"}},
		Faults: []kernelfault.Fault{{Class: vm.Warn, Title: "WARNING: \x1bx", Uptime: 1}}}
	want := []reports.Property{{Name: "kernel", Value: release}, {Name: "package", Value: "linux-image"},
		{Name: "clock", Value: "virtual time"}, {Name: "missing modules", Value: "sch_tbf"},
		{Name: "not loaded", Value: "module veth: no memory"},
		{Name: "tainted before the run", Value: "the kernel warned (W)"},
		{Name: "warned before the run", Value: `WARNING: \x1bx`}, {Name: reports.Pace, Value: "11.0"}}
	if got := g.properties(&end); !slices.Equal(got, want) {
		t.Errorf("they are %v", got)
	}
	if p := g.played(t.Context(), end, nil); len(p.Notes) != 4 || p.Notes[1] != "not loaded: module veth: no memory" {
		t.Errorf("the notes are %q", p.Notes)
	}
}

// TestOwnScenarios: a user's file is in the guest below one folder, whatever its path, and has its name in the report.
func TestOwnScenarios(t *testing.T) {
	w := &Work{files: map[string][]byte{}, named: map[string]string{}}
	for file, want := range map[string]string{
		"x.md": "/netnscheck/scenarios/x/x.md", "../../y.md": "/netnscheck/scenarios/y/y.md",
		"/etc/passwd.md": "/netnscheck/scenarios/passwd/etc/passwd.md",
	} {
		id := strings.TrimSuffix(file[strings.LastIndex(file, "/")+1:], ".md")
		inside := w.name(&scenario.Scenario{ID: id, File: file, Source: "text"})
		if inside != want || string(w.files[inside]) != "text" {
			t.Errorf("%s is %s in the guest", file, inside)
		}
		c := reports.Case{SectionResult: scenario.SectionResult{File: inside, Problems: []scenario.Problem{{File: inside}}}}
		if w.outside(&c); c.File != file || c.Problems[0].File != file {
			t.Errorf("%s comes back as %s", file, c.File)
		}
	}
}

// TestBooted: a kernel that panics or hangs before the harness starts did not boot, whatever the class of its end.
func TestBooted(t *testing.T) {
	for _, class := range []vm.Class{vm.NotStarted, vm.Panic, vm.Hang, vm.NoResult} {
		if p := playing(t).played(t.Context(), vm.End{Class: class, Words: "at boot"}, nil); p.Booted {
			t.Errorf("%s: it booted", class)
		}
	}
	if p := playing(t).played(t.Context(), vm.End{Class: vm.Panic, Ready: &wire.Ready{}}, nil); !p.Booted {
		t.Error("a kernel that panics in a case did not boot")
	}
}

// TestWhoseFault: a wrong name is the user's, and what this machine lacks is not bad input.
func TestWhoseFault(t *testing.T) {
	cache, err := store.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer cache.Close()
	r := &Rig{Store: cache, kernels: &kernels.Finder{Store: cache, Offline: true},
		programs: &programs.Finder{Store: cache, Offline: true}}
	for name, want := range map[string]int{"6x12": status.Usage, "./nosuch": status.Usage, "6.12": status.Cannot} {
		_, err := r.Find(t.Context(), name)
		if got, _ := status.Of(err); got != want {
			t.Errorf("%s: status %d, %v", name, got, err)
		}
	}
	_, err = r.Programs(t.Context(), matrix.Row{})
	if got, _ := status.Of(err); got != status.Cannot {
		t.Errorf("the programs: status %d, %v", got, err)
	}
}

// TestDistinct: what several errors say is told once.
func TestDistinct(t *testing.T) {
	a, again, b := errors.New("no network"), errors.New("no network"), errors.New("no space")
	if got := distinct([]error{nil, a, again, b, nil, a}); !slices.Equal(got, []error{a, b}) {
		t.Errorf("told are %v", got)
	}
}

// TestFolderOfModules: a folder of modules that no kernel would have is refused.
func TestFolderOfModules(t *testing.T) {
	for _, c := range []struct {
		modules string
		kernels []string
		want    bool
	}{
		{"", []string{"6.1"}, true}, {"dir", []string{"./bzImage"}, true}, {"dir", []string{"6.1", "./bzImage"}, true},
		{"dir", []string{"6.1", "debian:sid"}, false}, {"dir", []string{t.TempDir(), "./linux-image.deb"}, false},
	} {
		var rows []matrix.Row
		for _, name := range c.kernels {
			rows = append(rows, matrix.Row{Kernel: name})
		}
		r := &Rig{Settings: Settings{Modules: c.modules}}
		if err := r.checkFolder(rows); (err == nil) != c.want {
			t.Errorf("--modules %q of %q: %v", c.modules, c.kernels, err)
		}
	}
}
