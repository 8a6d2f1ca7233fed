package vm

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"netnscheck/harness/internal/cmd/guests"
	"netnscheck/harness/internal/cmd/screen"
	"netnscheck/harness/internal/vm/kernels"
	"netnscheck/harness/internal/vm/matrix"
	"netnscheck/harness/scenario"
	"netnscheck/harness/term"
	"netnscheck/reports"
)

// suiteOf is a suite of four cases on a kernel.
func suiteOf(guest string, outcomes ...scenario.Outcome) reports.Suite {
	s := reports.Suite{ID: "router", Driver: "netlink", Guest: guest}
	for i, o := range outcomes {
		s.Cases = append(s.Cases, reports.Case{Name: "Step " + string(rune('A'+i)), SectionResult: scenario.SectionResult{
			Outcome: o,
		}})
	}
	return s
}

// drive lets two guests run: the first to its end, the second into a panic.
func drive(s *screen.Screen) (l *live, screens []string) {
	const pass, fail = scenario.Pass, scenario.Fail
	rows := []matrix.Row{{Kernel: "5.10"}, {Kernel: "newest"}, {Kernel: "debian:sid"}}
	l = newLive(s, rows)
	first, second := suiteOf("5.10", pass, fail, pass, pass), suiteOf("newest", pass, scenario.Error, scenario.Error, pass)
	console := &reports.Console{Out: s.Out}
	l.told = reports.Told(console)
	l.told.Plan([]reports.Suite{first, second})
	shot := func() { screens = append(screens, strings.Join(l.lines(time.Now()), "\n")) }

	old := kernels.Kernel{Release: "5.10.0-46-amd64", Package: "linux-image-5.10.0-46-amd64", Version: "5.10.259-1"}
	shot()
	l.news(0, guests.News{Stage: guests.Finding, Cases: 4})
	shot()
	l.news(0, guests.News{Stage: guests.Booting, Kernel: old, Cases: 4})
	l.news(1, guests.News{Stage: guests.Making, Cases: 4})
	shot()
	bad := 0
	for i, c := range first.Cases {
		if c.Outcome == fail {
			bad++
		}
		l.news(0, guests.News{Stage: guests.Playing, Kernel: old, Cases: 4, Done: i + 1, Bad: bad,
			Running: "router.netlink “" + c.Name + "”", Ended: &guests.Case{Suite: first, Case: c}})
		shot()
	}
	l.ended(0, &guests.Played{Guest: reports.Guest{Name: "5.10", Class: "failed"}, Suites: []reports.Suite{first}})
	second.Cases[2].Outcome = scenario.NotRun
	l.ended(1, &guests.Played{Guest: reports.Guest{Name: "newest", Class: "panic"}, Suites: []reports.Suite{second}})
	shot()
	return l, screens
}

// TestLinesElsewhere: without a terminal, lines tell the beginning, each quarter and the end of a guest.
func TestLinesElsewhere(t *testing.T) {
	var out bytes.Buffer
	drive(screen.Plain(&out, &out, false))
	want := `5.10        boots 5.10.0-46-amd64 (linux-image-5.10.0-46-amd64 5.10.259-1)
5.10        1 of 4 cases
5.10        2 of 4 cases, 1 did not pass
5.10        3 of 4 cases, 1 did not pass
5.10        failed in 0 s: 4 cases: 3 passed, 1 failed
newest      panic in 0 s: 4 cases: 2 passed, 1 error, 1 not run
`
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestLinesInPlace: on a terminal each running guest has one line, and only the end of a guest stays.
func TestLinesInPlace(t *testing.T) {
	var out, progress bytes.Buffer
	s := screen.Plain(&out, &out, false)
	s.Progress, s.Terminal = &progress, true
	l, screens := drive(s)
	want := []string{
		"3 more to come",
		"5.10        finding its kernel, 0 s\n2 more to come",
		"5.10        booting 5.10.0-46-amd64, 0 s\nnewest      making its image, 0 s\n1 more to come",
		"5.10        1/4  router.netlink “Step A”\nnewest      making its image, 0 s\n1 more to come",
		"5.10        2/4  1 not passed  router.netlink “Step B”\nnewest      making its image, 0 s\n1 more to come",
		"5.10        3/4  1 not passed  router.netlink “Step C”\nnewest      making its image, 0 s\n1 more to come",
		"5.10        4/4  1 not passed  router.netlink “Step D”\nnewest      making its image, 0 s\n1 more to come",
		"1 more to come",
	}
	if diff := cmp.Diff(want, screens); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	stays := "5.10        failed in 0 s: 4 cases: 3 passed, 1 failed\n" +
		"newest      panic in 0 s: 4 cases: 2 passed, 1 error, 1 not run\n"
	if diff := cmp.Diff(stays, out.String()); diff != "" {
		t.Errorf("what stays, -want +got:\n%s", diff)
	}

	l.guests[2].since = time.Now()
	l.guests[2].news = guests.News{Stage: guests.Playing, Cases: 1582, Running: strings.Repeat("long ", 40)}
	l.draw(time.Now())
	line := strings.TrimSuffix(progress.String(), "\n")
	if term.Width(line) > 79 || strings.Contains(line, "\n") {
		t.Errorf("it does not fit on a line: %q", line)
	}
	progress.Reset()
	l.draw(time.Now())
	if !strings.HasPrefix(progress.String(), "\x1b[1F\x1b[J") {
		t.Errorf("the line before is not erased: %q", progress.String())
	}
}

func TestJobsOn(t *testing.T) {
	const gib = 1 << 30
	for _, c := range []struct {
		cores, of       int
		available, each int64
		rows, want      int
	}{
		{2, 1, 24 * gib, gib, 5, 2},
		{8, 1, 24 * gib, gib, 5, 5},
		{8, 4, 24 * gib, gib, 5, 2},
		{8, 1, 3 * gib, gib, 5, 3},
		{1, 4, 0, gib, 5, 1},
	} {
		if got := jobsOn(c.cores, c.of, c.available, c.each, c.rows); got != c.want {
			t.Errorf("%+v: %d guests side by side", c, got)
		}
	}
}
