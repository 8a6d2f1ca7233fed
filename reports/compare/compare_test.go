package compare

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"netnscheck/harness/scenario"
	"netnscheck/harness/term"
	"netnscheck/reports"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", path, diff)
	}
}

// suite is a suite of cases with these names and outcomes: `first: pass`.
func suite(id, driver string, cases ...string) reports.Suite {
	s := reports.Suite{ID: id, Driver: driver}
	for i, text := range cases {
		name, outcome, _ := strings.Cut(text, ": ")
		c := reports.Case{Name: name, SectionResult: scenario.SectionResult{
			Outcome: scenario.Outcome(outcome), File: id + ".md", Line: 10 * (i + 1),
			Duration: time.Duration(i+1) * time.Millisecond,
		}}
		switch c.Outcome {
		case scenario.Fail, scenario.Error, scenario.Flaky, scenario.XFail:
			c.Problems = []scenario.Problem{{Line: 10*(i+1) + 5, Message: "`host` has the interface `v1`",
				Found: "the interfaces of host: lo | <b> and eth0\x1b[31m"}}
		case scenario.Skip:
			c.Reason = "the program nft is not installed (package nftables)"
		case scenario.Blocked:
			c.Reason = "needs step 1, which did not pass"
		case scenario.NotRun:
			c.Reason = "interrupted: by SIGTERM"
		}
		s.Cases = append(s.Cases, c)
	}
	return s
}

func saved(file string, suites ...reports.Suite) reports.Saved {
	return reports.Saved{File: file, Run: &reports.Run{
		Started:    time.Date(2025, 3, 1, 12, 0, 0, 0, time.UTC),
		Properties: []reports.Property{{Name: "kernel", Value: "6.1.0"}, {Name: "seed", Value: "0"}}, Suites: suites,
	}}
}

func compared(t *testing.T, old, new []reports.Saved) *Comparison {
	t.Helper()
	c, err := Reports(old, new)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// everyKind has changes of every kind.
func everyKind(t *testing.T) *Comparison {
	old := saved("old.json",
		suite("veth-pair", "netlink", "Create: pass", "Move: pass", "Ping: pass", "Look: fail", "Wait: fail", "Up: pass"),
		suite("veth-pair", "busybox", "Create: pass", "Move: pass", "Ping: skip"),
		suite("nat", "iproute2", "One: pass", "Two: pass", "Three: xfail"),
		suite("old-name", "netlink", "Create: pass"),
	)
	now := saved("new.json",
		suite("veth-pair", "netlink", "Create: fail", "Move: blocked", "Pings: pass", "Look: pass", "Wait: error",
			"Up: xfail", "Down: fail"),
		suite("nat", "iproute2", "One: skip", "Two: skip", "Three: skip"),
		suite("new-name", "netlink", "Create: pass"),
	)
	now.Properties = []reports.Property{{Name: "kernel", Value: "6.12.6"}, {Name: "seed", Value: "0"},
		{Name: reports.ShardsProperty, Value: "3"}, {Name: "blocks", Value: "with veth"}}
	now.Problems = []string{"interrupted: by SIGTERM"}
	return compared(t, []reports.Saved{old}, []reports.Saved{now})
}

func TestGolden(t *testing.T) {
	c := everyKind(t)
	golden(t, "comparison.golden.txt", c.Text(80))
	golden(t, "comparison.golden.md", c.Markdown())
	var b bytes.Buffer
	if err := term.WriteJSON(&b, c); err != nil {
		t.Fatal(err)
	}
	golden(t, "comparison.golden.json", b.String())
	for line := range strings.Lines(c.Text(80)) {
		if term.Width(strings.TrimRight(line, "\n")) > 80 || strings.TrimRight(line, " \n")+"\n" != line && line != "\n" {
			t.Errorf("wider than the screen, or with blanks at its end: %q", line)
		}
	}
}

// TestKinds goes through all pairs of outcomes, and of a case that is not there.
func TestKinds(t *testing.T) {
	all := append([]scenario.Outcome{""}, scenario.Outcomes...)
	// In the order of all: not there, error, fail, xpass, flaky, not run, blocked, xfail, skip, pass.
	letters := map[byte]Kind{'.': "", 'F': NewlyFailing, 'R': NewlyNotRun, 'S': NewlySkipped, 'E': NewlyExpected,
		'P': NewlyPassing, 'N': New}
	for was, row := range map[scenario.Outcome]string{
		"": ".FFFFNNNNN", scenario.Error: ".....RRESP", scenario.Fail: ".....RRESP", scenario.XPass: ".....RRESP",
		scenario.Flaky: ".....RRESP", scenario.NotRun: ".FFFF..E.P", scenario.Blocked: ".FFFF..E.P",
		scenario.XFail: ".FFFFRR.SP", scenario.Skip: ".FFFF..E.P", scenario.Pass: ".FFFFRRES.",
	} {
		for i, is := range all {
			if is == "" {
				continue // gone
			}
			if got, want := kindOf(was, is), letters[row[i]]; got != want {
				t.Errorf("from %q to %q: %q, want %q", was, is, got, want)
			}
		}
	}
	if len(all) != 10 {
		t.Errorf("there are %d outcomes: the table has to say what each change means", len(all)-1)
	}
}

// TestNothingIsWorse: a run compared with itself, and with one in which more passes.
func TestNothingIsWorse(t *testing.T) {
	old := saved("old.json", suite("a", "netlink", "x: fail", "y: skip", "z: not run"))
	c := compared(t, []reports.Saved{old}, []reports.Saved{old})
	if c.Regressions != 0 || len(c.Changes) != 0 || c.StillFailing != 1 {
		t.Errorf("compared with itself: %+v", c)
	}
	better := saved("new.json", suite("a", "netlink", "x: pass", "y: pass", "z: pass", "new: skip"))
	c = compared(t, []reports.Saved{old}, []reports.Saved{better})
	if c.Regressions != 0 || len(c.Of(NewlyPassing)) != 3 || len(c.Of(New)) != 1 {
		t.Errorf("compared with a better one: %+v", c.Changes)
	}
}

// TestTheRunItself: what no case says is seen: something left behind, a kernel that panicked.
func TestTheRunItself(t *testing.T) {
	old, now := saved("old.json", suite("a", "netlink", "x: pass")), saved("new.json", suite("a", "netlink", "x: pass"))
	old.Guests = []reports.Guest{{Name: "6.1", Class: reports.GuestPassed}}
	now.Guests = []reports.Guest{{Name: "6.1", Class: "panic", Words: "Kernel panic - not syncing"}}
	now.Leftovers = []string{"the namespace x"}
	c := compared(t, []reports.Saved{old}, []reports.Saved{now})
	var got []string
	for _, change := range c.Of(NewlyFailing) {
		got = append(got, change.Suite+" "+change.Case+": "+change.Reason)
	}
	want := []string{"run leaves nothing behind: the namespace x",
		"kernel@6.1 comes to its end: panic: Kernel panic - not syncing"}
	if diff := cmp.Diff(want, got); diff != "" || c.Regressions != 2 {
		t.Errorf("%d regressions (-want +got):\n%s", c.Regressions, diff)
	}
	// Fewer kernels are no fewer cases twice: the cases of their suites are gone, and told.
	now.Guests = nil
	if c = compared(t, []reports.Saved{old}, []reports.Saved{now}); len(c.Of(Gone)) != 0 {
		t.Errorf("gone are %+v", c.Of(Gone))
	}
}

// TestRepeats: of a case that passed once and failed once, flaky is told; what was not run beside what was, is not.
func TestRepeats(t *testing.T) {
	for _, c := range []struct{ first, second, want scenario.Outcome }{
		{scenario.Pass, scenario.Pass, scenario.Pass},
		{scenario.Pass, scenario.Fail, scenario.Flaky},
		{scenario.Error, scenario.Pass, scenario.Flaky},
		{scenario.Fail, scenario.Error, scenario.Error},
		{scenario.Error, scenario.Fail, scenario.Error},
		{scenario.NotRun, scenario.Pass, scenario.Pass},
		{scenario.Pass, scenario.NotRun, scenario.Pass},
		{scenario.Pass, scenario.Blocked, scenario.Pass},
		{scenario.NotRun, scenario.Skip, scenario.Skip},
		{scenario.Skip, scenario.NotRun, scenario.Skip},
		{scenario.Skip, scenario.Fail, scenario.Fail},
		{scenario.Flaky, scenario.Pass, scenario.Flaky},
	} {
		r := &record{}
		r.add(&reports.Case{SectionResult: scenario.SectionResult{Outcome: c.first}})
		r.add(&reports.Case{SectionResult: scenario.SectionResult{Outcome: c.second}})
		if r.outcome != c.want {
			t.Errorf("%s and %s: %s, want %s", c.first, c.second, r.outcome, c.want)
		}
	}
	pass, fail := suite("a", "netlink", "x: pass"), suite("a", "netlink", "x: fail")
	c := compared(t, []reports.Saved{saved("old.json", pass)}, []reports.Saved{saved("1", pass), saved("2", fail)})
	if failing := c.Of(NewlyFailing); len(failing) != 1 || failing[0].New != scenario.Flaky || failing[0].Reason == "" {
		t.Errorf("it tells %+v", c.Changes)
	}
}

func TestRefused(t *testing.T) {
	one, two := suite("a", "netlink", "x: pass"), suite("a", "netlink", "x: pass", "y: pass")
	shard := saved("shard.json", one)
	shard.Shard = &reports.Shard{Number: 2, Of: 3}
	whole := []reports.Saved{saved("whole.json", one)}
	for name, c := range map[string]struct {
		old, new []reports.Saved
		want     string
	}{
		"no repeats": {[]reports.Saved{saved("1.json", two), saved("2.json", one)}, whole,
			"compare 1.json and 2.json: they are no repeats of one run: the second has no case a.netlink “y”"},
		"no repeats the other way": {whole, []reports.Saved{saved("1.json", one), saved("2.json", two)},
			"compare 1.json and 2.json: they are no repeats of one run: the first has no case a.netlink “y”"},
		"a shard": {whole, []reports.Saved{shard},
			"compare whole.json with shard.json: one is the whole and the other shard 2/3 of a plan; " +
				"`harness report merge` makes one report of all shards"},
		"a case twice": {whole, []reports.Saved{saved("new.json", one, one)},
			"compare new.json: it has two cases a.netlink “x”"},
	} {
		if _, err := Reports(c.old, c.new); err == nil || err.Error() != c.want {
			t.Errorf("%s: %v, want %s", name, err, c.want)
		}
	}
	if _, err := Reports([]reports.Saved{shard}, []reports.Saved{shard}); err != nil {
		t.Errorf("the same shard: %v", err)
	}
}

// repeats are repeats of a run with so many cases, the first of which takes this long, and the others 10 ms. Each
// repeat is a little slower than the one before.
func repeats(n, cases int, first time.Duration) (all []reports.Saved) {
	for i := range n {
		var names []string
		for j := range cases {
			names = append(names, fmt.Sprintf("%d: pass", j))
		}
		s := suite("a", "netlink", names...)
		for j := range s.Cases {
			s.Cases[j].Duration = 10*time.Millisecond + time.Duration(i*7%n)*time.Microsecond
		}
		s.Cases[0].Duration = first + time.Duration(i)*time.Microsecond
		all = append(all, saved(fmt.Sprintf("%d.json", i), s))
	}
	return all
}

// TestTime: with enough repeats what is slower is named, and it alone; with too few it says that nothing can be said.
func TestTime(t *testing.T) {
	for _, c := range []struct {
		repeats, cases int
		now            time.Duration
		slower, faster int
		all            bool
		says           string
	}{
		{1, 3, 90 * time.Millisecond, 0, 0, false,
			"time: nothing can be said from 1 and 1 reports; it takes 4 of each for all cases together, 5 for a single one"},
		{3, 3, 90 * time.Millisecond, 0, 0, false, "time: nothing can be said from 3 and 3 reports"},
		{4, 3, 90 * time.Millisecond, 0, 0, true,
			"time: all cases together take 29.2ms → 110ms (+277 %, p=0.0286)|  for a single one of 3 cases it takes 5 reports"},
		{5, 3, 90 * time.Millisecond, 1, 0, true, "slower: a.netlink  0: 9.2ms → 90ms (+878 %, p=0.00794)"},
		{5, 3, 9200 * time.Microsecond, 0, 0, false, "time: all cases together take as long as before, from 5 and 5 reports"},
		{5, 3, 2 * time.Millisecond, 0, 1, true, "faster: a.netlink  0: 9.2ms → 2ms (-78 %"},
		{5, 30, 90 * time.Millisecond, 0, 0, true, "for a single one of 30 cases it takes 7 reports of each"},
		{7, 30, 90 * time.Millisecond, 1, 0, true, "slower: a.netlink  0: 9.2ms → 90ms"},
	} {
		old := repeats(c.repeats, c.cases, 9200*time.Microsecond)
		got := compared(t, old, repeats(c.repeats, c.cases, c.now))
		if len(got.Time.Slower) != c.slower || len(got.Time.Faster) != c.faster || (got.Time.All != nil) != c.all {
			t.Errorf("%d repeats of %d cases, %v: %+v", c.repeats, c.cases, c.now, got.Time)
		}
		if text := strings.Join(got.Time.words(), "|"); !strings.Contains(text, c.says) {
			t.Errorf("%d repeats of %d cases, %v: it says %s, want %s", c.repeats, c.cases, c.now, text, c.says)
		}
		if got.Regressions != 0 {
			t.Errorf("time alone is a regression: %+v", got)
		}
	}
}

// TestTimeOfNoise: of durations that differ by chance alone, in hundreds of cases, next to none is named.
func TestTimeOfNoise(t *testing.T) {
	old, now := repeats(10, 400, 10*time.Millisecond), repeats(10, 400, 10*time.Millisecond)
	state := uint64(1)
	for _, r := range slices.Concat(old, now) {
		for i := range r.Suites[0].Cases {
			state = state*6364136223846793005 + 1442695040888963407 // Knuth's MMIX
			r.Suites[0].Cases[i].Duration += time.Duration(state>>44) * time.Nanosecond
		}
	}
	got := compared(t, old, now).Time
	if n := len(got.Slower) + len(got.Faster); n > 0 || got.NeedForOne > 10 {
		t.Errorf("%d of 400 cases are named, and %d repeats are needed", n, got.NeedForOne)
	}
}

// TestSkippedAlike: many cases for one reason are a few lines.
func TestSkippedAlike(t *testing.T) {
	var old, now []reports.Suite
	for i := range 40 {
		id := fmt.Sprintf("scenario-%d", i)
		old = append(old, suite(id, "busybox", "one: pass", "two: pass", "three: pass"))
		now = append(now, suite(id, "busybox", "one: skip", "two: skip", "three: skip"))
	}
	c := compared(t, []reports.Saved{saved("old.json", old...)}, []reports.Saved{saved("new.json", now...)})
	if n := strings.Count(c.Text(80), "\n"); n > 50 {
		t.Errorf("%d lines:\n%s", n, c.Text(80))
	}
	if n := strings.Count(c.Text(80), "nft is not installed"); n != 1 || c.Regressions != 120 {
		t.Errorf("%d regressions; the reason is told %d times", c.Regressions, n)
	}
}

// TestJSONReadsBack: programs get what people see.
func TestJSONReadsBack(t *testing.T) {
	c := everyKind(t)
	var b bytes.Buffer
	if err := term.WriteJSON(&b, c); err != nil {
		t.Fatal(err)
	}
	var back Comparison
	d := json.NewDecoder(&b)
	d.DisallowUnknownFields()
	if err := d.Decode(&back); err != nil {
		t.Fatal(err)
	}
	back.sizes = c.sizes
	if diff := cmp.Diff(c.Text(80), back.Text(80)); diff != "" || back.Version != Version {
		t.Errorf("version %d (-written +read):\n%s", back.Version, diff)
	}
}

// TestRoom: however many cases there are, people get a page.
func TestRoom(t *testing.T) {
	var old, now []string
	for i := range 5000 {
		old, now = append(old, fmt.Sprintf("case %d: pass", i)), append(now, fmt.Sprintf("case %d: fail", i))
	}
	old = append(old, "last: pass")
	c := compared(t, []reports.Saved{saved("old.json", suite("a", "netlink", old...))},
		[]reports.Saved{saved("new.json", suite("a", "netlink", append(now, "last: pass")...))})
	for name, text := range map[string]string{"text": c.Text(80), "markdown": c.Markdown()} {
		if len(text) > 100<<10 || !strings.Contains(text, "5000 newly failing") || !strings.Contains(text, " more") {
			t.Errorf("%s has %d bytes:\n%.2000s", name, len(text), text)
		}
	}
}
