package bisect

import (
	"strings"
	"testing"

	"netnscheck/harness/internal/cmd/guests"
	"netnscheck/harness/internal/vm/halve"
	"netnscheck/harness/internal/vm/kernels"
	"netnscheck/harness/scenario"
	"netnscheck/reports"
)

// boot is what a boot says of the cases a and b and of the kernel.
func says(a, b, kernel scenario.Outcome) map[string]said {
	boot := map[string]said{}
	for name, o := range map[string]scenario.Outcome{"a": a, "b": b, theKernel: kernel} {
		if o != "" {
			boot[name] = said{outcome: o, reason: "because"}
		}
	}
	return boot
}

// TestNothingIsTakenForGoodOrBad: a case that is flaky, skipped, blocked or was not run does not tell, whatever the
// others say; a kernel is bad only for what both boots say.
func TestNothingIsTakenForGoodOrBad(t *testing.T) {
	const pass, fail, skip, blocked = scenario.Pass, scenario.Fail, scenario.Skip, scenario.Blocked
	names := []string{"a", "b", theKernel}
	for name, c := range map[string]struct {
		first, second map[string]said
		alone         halve.Verdict // of all
		a             halve.Verdict // of the case a alone
		why           string        // of the verdict on a
	}{
		"both pass": {says(pass, pass, pass), says(pass, pass, pass), halve.Good, halve.Good, "as on the good one"},
		"both fail": {says(fail, pass, pass), says(fail, pass, pass), halve.Bad, halve.Bad, "a: fail: because"},
		"flaky": {says(fail, pass, pass), says(pass, pass, pass), halve.Untold, halve.Untold,
			"flaky: fail, then pass"},
		"flaky the other way": {says(pass, pass, pass), says(fail, pass, pass), halve.Untold, halve.Untold, "flaky"},
		"skipped":             {says(skip, pass, pass), says(skip, pass, pass), halve.Good, halve.Untold, "a: skip: because"},
		"all skipped":         {says(skip, skip, pass), says(skip, skip, pass), halve.Untold, halve.Untold, "skip"},
		"blocked":             {says(blocked, skip, pass), says(blocked, skip, pass), halve.Untold, halve.Untold, "blocked"},
		"not run":             {says("", "", pass), says("", "", pass), halve.Untold, halve.Untold, "it was not run"},
		"not run again":       {says(pass, pass, pass), says("", pass, pass), halve.Good, halve.Untold, "it was not run"},
		"a panic":             {says(pass, "", fail), says(pass, "", fail), halve.Bad, halve.Good, ""},
		"a panic once":        {says(pass, pass, fail), says(pass, pass, pass), halve.Untold, halve.Good, ""},
	} {
		t.Run(name, func(t *testing.T) {
			l := agree(names, []map[string]said{c.first, c.second})
			if v, why := l.alone(); v != c.alone {
				t.Errorf("alone it is %v (%s), want %v", v, why, c.alone)
			}
			v, why := l.judge([]string{"a"})
			if v != c.a || !strings.Contains(why, c.why) {
				t.Errorf("the case a is %v (%s), want %v with %q", v, why, c.a, c.why)
			}
		})
	}
}

// TestOneBoot: a kernel boots again only if its first boot told something.
func TestOneBoot(t *testing.T) {
	const pass, fail, skip = scenario.Pass, scenario.Fail, scenario.Skip
	for name, c := range map[string]struct {
		boot map[string]said
		want bool
	}{
		"a pass":      {says(skip, pass, pass), true},
		"a fault":     {says(skip, fail, pass), true},
		"an error":    {says(skip, scenario.Error, pass), true},
		"a panic":     {says("", "", fail), true},
		"all skipped": {says(skip, skip, pass), false},
		"blocked":     {says(scenario.Blocked, skip, pass), false},
	} {
		if got := tells(c.boot); got != c.want {
			t.Errorf("%s: it tells: %v, want %v", name, got, c.want)
		}
		if l := agree([]string{"a", "b", theKernel}, []map[string]said{c.boot}); l.nothingPlayed() == c.want {
			t.Errorf("%s: nothing was played: %v", name, !c.want)
		}
	}
	l := agree([]string{"a", "b", theKernel}, []map[string]said{says(skip, skip, pass)})
	if v, why := l.judge([]string{"a"}); v != halve.Untold || why != "a: skip: because" {
		t.Errorf("one boot alone says %v, %q", v, why)
	}
}

func TestAKernelThatDoesNotBoot(t *testing.T) {
	l := look{end: "it does not boot"}
	if l.nothingPlayed() {
		t.Error("what it would have played is known")
	}
	if v, _ := l.alone(); v != halve.Untold {
		t.Errorf("alone it is %v", v)
	}
	if v, _ := l.judge([]string{"a"}); v != halve.Untold {
		t.Errorf("it is %v", v)
	}
	if v, _ := (&look{}).judge(nil); v != halve.Untold {
		t.Errorf("without a case that tells it is %v", v)
	}
}

// TestTwoEnds: a kernel that ends in two ways does not agree with itself.
func TestTwoEnds(t *testing.T) {
	boot := func(class string) map[string]said {
		return map[string]said{"a": {outcome: scenario.Pass}, theKernel: endOf(&reports.Guest{Class: class})}
	}
	for _, c := range []struct {
		first, second string
		want          halve.Verdict
	}{{"panic", "panic", halve.Bad}, {"passed", "failed", halve.Good}, {"panic", "hang", halve.Untold},
		{"WARN", "passed", halve.Untold}} {
		l := agree([]string{"a", theKernel}, []map[string]said{boot(c.first), boot(c.second)})
		if v, why := l.alone(); v != c.want {
			t.Errorf("%s, then %s: %v (%s), want %v", c.first, c.second, v, why, c.want)
		}
	}
}

// TestDiffer: the search is for the cases that are good on the good end and bad on the bad one, and a good end without
// a good case is told from one that differs in nothing.
func TestDiffer(t *testing.T) {
	const pass, fail, skip = scenario.Pass, scenario.Fail, scenario.Skip
	twice := func(boot map[string]said) look {
		return agree([]string{"a", "b", theKernel}, []map[string]said{boot, boot})
	}
	for name, c := range map[string]struct {
		good, bad map[string]said
		targets   string
		passed    int // on the good end
	}{
		"one case":        {says(pass, pass, pass), says(pass, fail, pass), "b", 2},
		"two cases":       {says(pass, pass, pass), says(fail, fail, pass), "a b", 2},
		"the kernel":      {says(pass, pass, pass), says(pass, pass, fail), theKernel, 2},
		"both good":       {says(pass, pass, pass), says(pass, pass, pass), "", 2},
		"both bad":        {says(fail, skip, pass), says(fail, skip, pass), "", 0},
		"the other way":   {says(fail, pass, pass), says(pass, pass, pass), "", 1},
		"skipped at once": {says(skip, pass, pass), says(fail, pass, pass), "", 1},
	} {
		s := search{looks: []look{twice(c.good), {}, twice(c.bad)}}
		if s.differ(); strings.Join(s.targets, " ") != c.targets {
			t.Errorf("%s: the ends differ in %q, want %q", name, s.targets, c.targets)
		}
		if got := s.looks[0].good(); got != c.passed {
			t.Errorf("%s: %d cases are good on the good end, want %d", name, got, c.passed)
		}
	}
}

// TestAPanicAtBoot: a kernel that does not get as far as the harness cannot be told, whatever its end is called.
func TestAPanicAtBoot(t *testing.T) {
	p := guests.Played{Guest: reports.Guest{Class: "panic", Words: "Kernel panic"}}
	if got := unbooted(&p); got != "it does not boot: panic: Kernel panic" {
		t.Errorf("it says %q", got)
	}
	if p.Booted = true; unbooted(&p) != "" {
		t.Error("a kernel that panics in a case does not boot")
	}
}

// TestDistinct: of several versions of a release the row has the one that is booted by its name.
func TestDistinct(t *testing.T) {
	row := []kernels.Packaged{{Release: "a", Version: "1"}, {Release: "b", Version: "2"}, {Release: "b", Version: "3"},
		{Release: "a", Version: "4"}, {Release: "c", Version: "5"}}
	var versions string
	for _, p := range distinct(row) {
		versions += p.Version
	}
	if versions != "345" {
		t.Errorf("it leaves %s", versions)
	}
}

func TestModulesOfAPackage(t *testing.T) {
	o := &options{good: "6.1", bad: "6.12", scenarios: []string{"rules"}, guests: guests.Settings{Modules: t.TempDir()}}
	if err := o.check(); err == nil || !strings.Contains(err.Error(), "--modules is of a kernel in a file") {
		t.Errorf("it says %v", err)
	}
	if o.good, o.bad, o.kernel = "", "", "./bzImage"; o.check() != nil {
		t.Errorf("with a file: %v", o.check())
	}
}
