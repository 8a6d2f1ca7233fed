package session

import (
	"context"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"netnscheck/harness/internal/kernel"
	"netnscheck/harness/lab"
	"netnscheck/harness/scenario"
	"netnscheck/harness/sitting"
	"netnscheck/scenarios"
)

func TestMain(m *testing.M) { os.Exit(lab.TestMain(m)) }

var typedOf = flag.String("typed", "all", "type these lessons: ids with commas, or all")

// typist types what a page shows, in a lab as `harness lab start` makes it.
type typist struct {
	*testing.T
	sc     *scenario.Scenario
	lab    *lab.Lab
	driver lab.Driver
	desk   *desk
	// pace returns when the next command may be typed.
	pace func(p *typist, x scenario.Exchange)
	// prompts are the commands that have ended, in their order, as a terminal reports them; unread counts those
	// that the desk has not heard of.
	prompts chan scenario.Exchange
	unread  sync.WaitGroup
	// told has a value if the sitting may have changed.
	told chan struct{}
}

// paces are how fast a learner types. Whoever pastes does not wait for anything; the terminal reports the commands when
// it reads its output. Whoever types slowly sees what a command did before he types the next one.
var paces = []struct {
	name string
	pace func(p *typist, x scenario.Exchange)
}{
	{"pasted", func(p *typist, x scenario.Exchange) { p.unread.Add(1); p.prompts <- x }},
	{"slowly", func(p *typist, x scenario.Exchange) {
		p.desk.command(p.Context(), ran{line: x.Command, status: x.Status}, func(int, bool) {})
		p.settled()
	}},
}

// TestTypedLessons types each lesson as its page shows it, pasted and slowly: each step turns done, and nothing that is
// printed contradicts the page.
func TestTypedLessons(t *testing.T) {
	for _, sc := range typedScenarios(t, scenario.Lesson) {
		for _, pace := range paces {
			t.Run(sc.ID+"/"+pace.name, func(t *testing.T) {
				t.Parallel()
				p := sitsDown(t, sc, 0, pace.pace)
				for i := range sc.Steps {
					p.types(sc.Steps[i].Blocks)
					p.done(i)
				}
			})
		}
	}
}

// TestTypedMistakes makes each mistake of the lessons where its step begins, reads what is said of it, and does then
// what the page says: the step turns done. (What a mistake has counted, and what came after it, are one number for
// whoever pastes both at once: the commands have run before the first of them is judged.)
func TestTypedMistakes(t *testing.T) {
	for _, sc := range typedScenarios(t, scenario.Lesson) {
		for i := range sc.Steps {
			for j := range sc.Steps[i].Mistakes {
				t.Run(fmt.Sprintf("%s/%d.%d", sc.ID, i+1, j+1), func(t *testing.T) {
					t.Parallel()
					m := &sc.Steps[i].Mistakes[j]
					p := sitsDown(t, sc, i, paces[0].pace)
					p.types(m.Blocks)
					p.types(m.Fix)
					p.reads()
					if len(m.Fix) == 0 || m.Undo || sc.Steps[i].OnlyLooks() {
						p.again(sc.Steps[i].Blocks)
					}
					p.done(i)
				})
			}
		}
	}
}

func typedScenarios(t *testing.T, kind scenario.Kind) (all []*scenario.Scenario) {
	if testing.Short() {
		t.Skip("-short: it types whole lessons")
	}
	every, err := scenarios.All()
	if err != nil {
		t.Fatal(err)
	}
	for _, sc := range every {
		if sc.Kind == kind && (*typedOf == "all" || slices.Contains(strings.Split(*typedOf, ","), sc.ID)) {
			all = append(all, sc)
		}
	}
	return all
}

// sitsDown is a learner before step i (from 0), with the steps before it done.
func sitsDown(t *testing.T, sc *scenario.Scenario, i int, pace func(*typist, scenario.Exchange)) *typist {
	t.Helper()
	d, err := lab.IPRoute2()
	if err != nil {
		lab.Lacking(t, err)
	}
	p := &typist{T: t, sc: sc, driver: d, pace: pace, prompts: make(chan scenario.Exchange, 1000),
		told: make(chan struct{}, 1)}
	p.lab, err = lab.Prepared(t.Context(), sc, lab.Options{})
	p.lacks(err)
	t.Cleanup(func() {
		if err := p.lab.Close(); err != nil {
			t.Error(err)
		}
	})
	past := make([]sitting.Past, i)
	for k := range past {
		past[k].Done = true
		_, err := p.lab.Perform(t.Context(), sc, k)
		p.lacks(err)
	}
	live, err := p.lab.Live(t.Context())
	p.lacks(err)
	p.desk, err = newDesk(t.Context(), p.lab, live, sc, sitting.Options{Past: past})
	p.lacks(err)
	p.desk.changed = func() {
		select {
		case p.told <- struct{}{}:
		default:
		}
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for x := range p.prompts {
			p.desk.command(context.Background(), ran{line: x.Command, status: x.Status}, func(int, bool) {})
			p.unread.Done()
		}
	}()
	t.Cleanup(func() { close(p.prompts); <-ended })
	go p.desk.follow(context.Background())
	return p
}

// lacks skips the test if this machine lacks something, and fails it for any other error.
func (p *typist) lacks(err error) {
	p.Helper()
	if scenario.Lacks(err) {
		p.Skip(err)
	}
	if err != nil {
		p.Fatal(err)
	}
}

// types types the commands of blocks and compares what they print with the page.
func (p *typist) types(blocks []scenario.Block) {
	p.Helper()
	for _, cmd := range p.commands(blocks) {
		p.compare(cmd, p.typesOne(cmd))
	}
}

// again types the commands of blocks after a mistake, which has done some of them already.
func (p *typist) again(blocks []scenario.Block) {
	p.Helper()
	for _, cmd := range p.commands(blocks) {
		p.typesOne(cmd)
	}
}

func (p *typist) commands(blocks []scenario.Block) (all []scenario.Command) {
	here, err := kernel.Machine(p.Context(), p.sc.Conditional()...)
	if err != nil {
		p.Fatal(err)
	}
	for _, b := range blocks {
		if b.For(p.driver.Name(), here) {
			all = append(all, b.Commands...)
		}
	}
	return all
}

func (p *typist) typesOne(cmd scenario.Command) scenario.Exchange {
	p.Helper()
	p.lacks(p.driver.CanSay(cmd))
	p.desk.begins()
	x, err := p.driver.Run(p.Context(), p.lab, cmd)
	p.lacks(err)
	p.pace(p, x)
	return x
}

func (p *typist) compare(cmd scenario.Command, x scenario.Exchange) {
	p.Helper()
	if cmd.Status.Any && x.Status == 0 || !cmd.Status.Any && x.Status != cmd.Status.Code {
		p.Errorf("%s:%d: %s: exit status %d\n%s", p.sc.File, cmd.Line, cmd.Text, x.Status, x.Output)
	}
	if !cmd.Compared {
		return
	}
	if m := scenario.MatchOutput(cmd.Output, x.Output); m != nil {
		p.Errorf("%s:%d: %s: %v\n%s", p.sc.File, cmd.Line, cmd.Text, m, x.Output)
	}
}

// limit is how long a learner waits for a step to turn done; a check may be given 30 seconds, and the machine be busy.
const limit = 2 * time.Minute

// done waits until step i is done, and the last prompt is there.
func (p *typist) done(i int) {
	p.Helper()
	p.reads()
	late := time.After(limit)
	for {
		p.desk.mu.Lock()
		at := p.desk.sitting.Step()
		done := at > i || at == i && p.desk.sitting.Done()
		view := p.desk.sitting.View()
		p.desk.mu.Unlock()
		if done {
			p.judged() // counters and events count for the next step from now on
			return
		}
		select {
		case <-p.told:
		case <-late:
			p.Fatalf("%s:%d: “%s” is not done: %s", p.sc.File, p.sc.Steps[i].Line, p.sc.Steps[i].Title, open(view))
		}
	}
}

// reads waits until all commands so far were taken in, and there is nothing more to tell of them.
func (p *typist) reads() {
	p.unread.Wait()
	p.desk.mu.Lock()
	turn := p.desk.turn
	p.desk.mu.Unlock()
	if turn != nil {
		<-turn
	}
}

// judged waits until nothing is being judged.
func (p *typist) judged() {
	p.desk.work.Lock()
	defer p.desk.work.Unlock()
}

// open says which checks of the current step do not hold.
func open(v sitting.View) string {
	var all []string
	for _, c := range v.Steps[v.Step-1].Checks {
		if c.Status != sitting.Holds {
			all = append(all, fmt.Sprintf("\n  %s: %s %s", c.Status, c.Text, c.Found))
		}
	}
	return strings.Join(all, "")
}

// settled waits until the checks are judged and the kernel is about to do nothing more.
func (p *typist) settled() {
	p.Helper()
	p.judged()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	late := time.After(limit)
	for {
		s, err := p.lab.State(p.Context())
		if err != nil {
			p.Fatal(err)
		}
		if len(s.Pending()) == 0 {
			return
		}
		select {
		case <-tick.C:
		case <-late:
			p.Fatalf("the lab does not settle: %v", s.Pending())
		}
	}
}
