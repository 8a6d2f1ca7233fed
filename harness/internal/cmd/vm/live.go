package vm

import (
	"fmt"
	"strings"
	"sync"
	"time"

	"netnscheck/harness/internal/cmd/guests"
	"netnscheck/harness/internal/cmd/screen"
	"netnscheck/harness/internal/vm/matrix"
	"netnscheck/harness/term"
	"netnscheck/reports"
)

// live shows how far guests are: on a terminal a line for each that runs, drawn anew in place; elsewhere a line when
// one begins, after each quarter of its cases, and when it ends. What the reports print passes through it, so that the
// lines in place are not torn.
type live struct {
	screen *screen.Screen
	wide   int // columns for names

	mu     sync.Mutex
	told   *reports.Sinks
	guests []line
	silent bool
	drawn  int // lines in place
	over   chan struct{}
	done   sync.WaitGroup
}

// line is a guest.
type line struct {
	name  string
	news  guests.News
	since time.Time // it was begun; zero while it waits
	ended bool
	parts int // quarters that were told
}

// beat is how often the lines in place are drawn.
const beat = 250 * time.Millisecond

func newLive(s *screen.Screen, rows []matrix.Row) *live {
	l := &live{screen: s, over: make(chan struct{})}
	for _, row := range rows {
		l.guests = append(l.guests, line{name: term.OneLine(row.Name())})
		l.wide = max(l.wide, term.Width(l.guests[len(l.guests)-1].name))
	}
	return l
}

// quiet shows nothing but the lines in place.
func (l *live) quiet() { l.silent = true }

// plan announces the run to the reports and begins to draw.
func (l *live) plan(told *reports.Sinks, suites []reports.Suite, jobs int, clock string) {
	cases := 0
	for i := range suites {
		cases += len(suites[i].Cases)
	}
	told.Plan(suites)
	l.told = told
	l.say("%s on %s, %d at a time, %s", term.Count(cases, "case"), term.Count(len(l.guests), "kernel"), jobs, clock)
	if l.screen.Progress == nil {
		return
	}
	l.done.Go(func() {
		tick := time.NewTicker(beat)
		defer tick.Stop()
		for {
			select {
			case <-l.over:
				return
			case <-tick.C:
				l.mu.Lock()
				l.draw(time.Now())
				l.mu.Unlock()
			}
		}
	})
}

// stop ends the drawing.
func (l *live) stop() {
	close(l.over)
	l.done.Wait()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.clear()
}

// say prints a line that stays.
func (l *live) say(format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.print(format, args...)
}

func (l *live) print(format string, args ...any) {
	if l.silent {
		return
	}
	l.clear()
	if l.told == nil { // the reports are not open yet
		fmt.Fprintln(l.screen.Err, term.Printable(fmt.Sprintf(format, args...)))
		return
	}
	l.told.Say(format, args...)
}

// news takes how far a guest is.
func (l *live) news(i int, n guests.News) {
	l.mu.Lock()
	defer l.mu.Unlock()
	g := &l.guests[i]
	if g.since.IsZero() {
		g.since = time.Now()
	}
	before := g.news.Stage
	g.news = n
	if n.Ended != nil {
		l.clear() // a report may print the case
		l.told.End(n.Ended.Suite, n.Ended.Case)
	}
	if l.screen.Progress != nil {
		return
	}
	if n.Stage != before && n.Stage == guests.Booting {
		l.print("%s  boots %s", term.Pad(g.name, l.wide), release(n))
	}
	const parts = 4
	if part := parts * n.Done / max(n.Cases, 1); part > g.parts && part < parts {
		g.parts = part
		l.print("%s  %s", term.Pad(g.name, l.wide), progress(n))
	}
}

// release is the kernel of a guest in words.
func release(n guests.News) string {
	text := n.Kernel.Release
	if text == "" {
		text = n.Kernel.Image
	}
	if n.Kernel.Version != "" {
		text += " (" + n.Kernel.Package + " " + n.Kernel.Version + ")"
	}
	return text
}

func progress(n guests.News) string {
	text := fmt.Sprintf("%d of %s", n.Done, term.Count(n.Cases, "case"))
	if n.Bad > 0 {
		text += fmt.Sprintf(", %d did not pass", n.Bad)
	}
	return text
}

// ended prints how a guest ended, on a line that stays.
func (l *live) ended(i int, p *guests.Played) {
	l.mu.Lock()
	defer l.mu.Unlock()
	g := &l.guests[i]
	g.ended = true
	var c reports.Counts
	for i := range p.Suites {
		c.Add(p.Suites[i].Count())
	}
	how := p.Guest.Class
	if how == reports.GuestPassed && c.Pass == 0 {
		how = "nothing ran"
	}
	l.print("%s  %s in %s: %s", term.Pad(g.name, l.wide), how, elapsed(time.Since(g.since)), c)
	for _, note := range p.Notes {
		l.print("%s  %s", term.Pad(g.name, l.wide), term.OneLine(note))
	}
}

func elapsed(d time.Duration) string {
	if d < time.Minute {
		return fmt.Sprintf("%d s", int(d.Seconds()))
	}
	return fmt.Sprintf("%d min %d s", int(d.Minutes()), int(d.Seconds())%60)
}

// draw draws the lines in place.
func (l *live) draw(now time.Time) {
	l.clear()
	lines := l.lines(now)
	for _, text := range lines {
		fmt.Fprintln(l.screen.Progress, term.Cut(text, max(20, l.screen.Columns-1), "…"))
	}
	l.drawn = len(lines)
}

// lines are the guests that run, and how many wait.
func (l *live) lines(now time.Time) (lines []string) {
	waiting := 0
	for _, g := range l.guests {
		switch {
		case g.ended:
		case g.since.IsZero():
			waiting++
		default:
			lines = append(lines, term.Pad(g.name, l.wide)+"  "+g.state(now))
		}
	}
	if waiting > 0 {
		lines = append(lines, fmt.Sprintf("%d more to come", waiting))
	}
	return lines
}

// state is a running guest in one line.
func (g *line) state(now time.Time) string {
	n := g.news
	if n.Stage != guests.Playing {
		text := string(n.Stage)
		if r := n.Kernel.Release; r != "" {
			text += " " + r
		}
		return term.OneLine(text) + ", " + elapsed(now.Sub(g.since))
	}
	width := len(fmt.Sprint(n.Cases))
	text := fmt.Sprintf("%*d/%d", width, n.Done, n.Cases)
	if n.Bad > 0 {
		text += fmt.Sprintf("  %d not passed", n.Bad)
	}
	return text + "  " + term.OneLine(n.Running)
}

// clear erases the lines in place.
func (l *live) clear() {
	if l.drawn > 0 {
		fmt.Fprint(l.screen.Progress, strings.Repeat("\x1b[1F", l.drawn)+"\x1b[J")
		l.drawn = 0
	}
}
