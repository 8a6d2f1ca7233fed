package sitting

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"netnscheck/harness/scenario"
)

const lesson = `---
kind: KIND
vars:
  count: Two
---
# {{count}} namespaces

The introduction.

## Make them

` + "```console\n$ ip netns add a\n$ ip netns add b\n```" + `

- [ ] namespace ` + "`a`" + ` exists
- [ ] namespace ` + "`b`" + ` exists
<!-- fail: Did you make the second one? -->
- [x] ` + "`host` has the interface `lo`" + `

> [!TIP]
> First hint.

> [!TIP]
> Second hint.

## Look

Look at it.

` + "```console\n$ ip netns\n```" + `

- [x] namespace ` + "`a`" + ` exists

## Remove one of {{count}}

<!-- points: 3 -->

` + "```console\n$ ip netns del a\n```" + `

- [ ] namespace ` + "`a`" + ` does not exist

## The end

Well done.
`

func parsed(t *testing.T, kind scenario.Kind) *scenario.Scenario {
	t.Helper()
	sc, err := scenario.Parse("two.md", []byte(strings.Replace(lesson, "KIND", string(kind), 1)))
	if err != nil {
		t.Fatal(err)
	}
	return sc
}

// verdicts are one for each letter: p(ass), f(ail), e(rror), and - for none.
func verdicts(letters string) (all []scenario.Verdict) {
	for _, letter := range letters {
		all = append(all, map[rune]scenario.Verdict{
			'p': {Outcome: scenario.Pass}, 'f': {Outcome: scenario.Fail, Found: "it is not"},
			'e': {Outcome: scenario.Error, Reason: "no answer"}, '-': {},
		}[letter])
	}
	return all
}

// did is a change after a command.
func did(letters string) Change {
	return Change{Verdicts: verdicts(letters), Changed: []string{"something"}, Acted: true}
}

// shown is a judgement after the commands of a step that only looks.
func shown(letters string) Change {
	return Change{Verdicts: verdicts(letters), Acted: true, Looked: true}
}

// looked is a judgement without a change.
func looked(letters string) Change { return Change{Verdicts: verdicts(letters)} }

// statuses are those of the checks of the current step, one letter for each.
func statuses(s *Sitting) string {
	v := s.View()
	var letters string
	for _, c := range v.Steps[min(v.Step, len(v.Steps))-1].Checks {
		letters += map[Status]string{Open: "o", Holds: "h", Lost: "l", Undecided: "u"}[c.Status]
	}
	return letters
}

// TestJudge: the status of each check after each change, and what of it is news.
func TestJudge(t *testing.T) {
	s := New(parsed(t, scenario.Lesson), Options{})
	if got := statuses(s); got != "uuu" {
		t.Errorf("before any verdict: %s", got)
	}
	for i, c := range []struct {
		change   Change
		statuses string
		lines    string
	}{
		{looked("ffp"), "ooh", ""},                    // the beginning: no news
		{did("pfp"), "hoh", "✓ `a` (2 of 3)"},         //
		{did("pfp"), "hoh", ""},                       // nothing new
		{did("ffp"), "loh", "✗ again: `a` (1 of 3)"},  //
		{did("efp"), "uoh", ""},                       // not decided is no news
		{did("ffp"), "loh", ""},                       // still lost
		{looked("p"), "hoh", "✓ `a` (2 of 3)"},        // the others as before
		{did("-f-"), "uou", ""},                       // what was not asked after a change is not known
		{looked("p-p"), "hoh", ""},                    // and is no news if it is as it was
		{did("pff"), "hol", "✗ again: `lo` (1 of 3)"}, //
		{did("fpf"), "lhl", "✗ again: `a` (1 of 3)|✓ `b` (1 of 3)"},
		{did("ppp"), "hhh", "something|✓ step 1 of 3: Make them is done"},
		{did("fff"), "hhh", ""}, // a step that is done stays done
	} {
		news := s.Judge(c.change)
		lines := strings.Join(news.Lines(Look{Width: 80}), "|")
		lines = strings.NewReplacer("namespace ", "", " exists", "", "`host` has the interface ", "").Replace(lines)
		want := c.lines
		if c.change.Changed != nil && strings.Count(want, "|") == 0 {
			want = strings.TrimSuffix("something|"+want, "|")
		}
		if got := statuses(s); got != c.statuses || lines != want || news.StepDone != (i == 11) || news.AllDone {
			t.Errorf("%d: got %s %q, want %s %q", i, got, lines, c.statuses, want)
		}
	}
}

// TestSteps: a step done stays the current one until the next begins; one where something is only looked at takes a
// look, or the word of the learner; the end has no step.
func TestSteps(t *testing.T) {
	s := New(parsed(t, scenario.Lesson), Options{})
	if err := s.Next(); err == nil ||
		err.Error() != "go on to the next step: 3 of the 3 checks of step 1 do not hold yet" {
		t.Errorf("at the beginning: %v", err)
	}
	s.Judge(looked("ppf"))
	if err := s.Next(); err == nil || !strings.Contains(err.Error(), "1 of the 3 checks of step 1 does not hold") {
		t.Errorf("one is open: %v", err)
	}
	if news := s.Judge(looked("ppp")); !news.StepDone || s.Step() != 0 || !s.Done() || s.Checks() != nil {
		t.Errorf("all hold: %+v", news)
	}
	if err := s.Next(); err != nil || s.Step() != 1 || s.Done() || statuses(s) != "u" {
		t.Errorf("step 2: %v, %s", err, statuses(s))
	}
	v := s.View()
	if v.Step != 2 || v.Prose != "Look at it.\n\n```console\n$ ip netns\n```" || !v.Steps[0].Done || v.Steps[1].Done ||
		v.Title != "Two namespaces" || v.Steps[2].Title != "Remove one of Two" || v.Steps[2].Checks != nil ||
		len(v.Steps[0].Checks) != 3 || v.Steps[0].Checks[2].Status != Holds {
		t.Errorf("step 2 is shown as %+v", v)
	}
	if news := s.Judge(looked("p")); news.StepDone || len(news.Now) > 0 {
		t.Error("a step that only looks is done before anybody looked")
	}
	if news := s.Judge(did("p")); news.StepDone || !s.View().Looks {
		t.Errorf("a step that only looks is done by any command: %+v", news)
	}
	looks := New(parsed(t, scenario.Lesson), Options{Past: s.Past()})
	looks.Judge(looked("p"))
	if err := looks.Next(); err != nil || looks.Step() != 2 || !looks.Past()[1].Done {
		t.Errorf("on the word of the learner: %v", err)
	}
	if news := s.Judge(shown("f")); news.StepDone {
		t.Errorf("what was looked at is not so: %+v", news)
	}
	past := New(parsed(t, scenario.Lesson), Options{Past: s.Past()})
	if !past.Pass() || past.Step() != 2 || !past.Past()[1].Done || past.Pass() {
		t.Errorf("gone past: %+v", past.View())
	}
	if news := s.Judge(did("p")); !news.StepDone || s.View().Looks {
		t.Errorf("it is so again: %+v", news)
	}
	if err := s.Next(); err != nil {
		t.Fatal(err)
	}
	if news := s.Judge(did("p")); !news.StepDone || !news.AllDone || s.Step() != 3 {
		t.Errorf("the last step: %+v", news)
	} else if got := news.Lines(Look{Width: 70})[1]; got != "✓ step 3: Remove one of Two is done, and so are all 3" {
		t.Errorf("the last line is %q", got)
	}
	v = s.View()
	if v.Step != 4 || v.Prose != "" || v.Intro != "## The end\n\nWell done." || v.Points != 5 || v.OutOf != 5 {
		t.Errorf("at the end: %+v", v)
	}
	if err := s.Next(); err == nil || s.Judge(did("")).StepDone {
		t.Errorf("after the end: %v", err)
	}
	s.ResetStep()
	if s.Step() != 2 || s.Done() || statuses(s) != "u" {
		t.Errorf("the last step again: %+v", s.View())
	}
	s.Reset()
	if s.Step() != 0 || s.View().Points != 0 {
		t.Errorf("from the beginning: %+v", s.View())
	}
}

// TestAhead: a check that is first judged after a command is news, unless it is one that held before.
func TestAhead(t *testing.T) {
	s := New(parsed(t, scenario.Lesson), Options{Past: []Past{{Done: true}, {Done: true}}})
	if news := s.Judge(did("p")); len(news.Now) != 1 || !news.AllDone {
		t.Errorf("%+v", news)
	}
	s = New(parsed(t, scenario.Lesson), Options{Past: []Past{{Done: true}}})
	if news := s.Judge(shown("p")); len(news.Now) != 0 || !news.StepDone {
		t.Errorf("what held before is news: %+v", news)
	}
}

// TestHints: one at a time, counted, remembered, and told by the view.
func TestHints(t *testing.T) {
	s := New(parsed(t, scenario.Challenge), Options{})
	for _, want := range []string{"First hint.", "Second hint."} {
		if got, err := s.Hint(); err != nil || got != want {
			t.Errorf("got %q, %v", got, err)
		}
		s = New(parsed(t, scenario.Challenge), Options{Past: s.Past()})
	}
	if _, err := s.Hint(); err == nil || err.Error() != "give a hint: step 1 has no more, there were 2" {
		t.Errorf("a third: %v", err)
	}
	v := s.View()
	if !slices.Equal(v.Hints, []string{"First hint.", "Second hint."}) || v.HintsLeft != 0 || v.Steps[0].Hints != 2 {
		t.Errorf("%+v", v)
	}
	s.Judge(did("ppp"))
	if v := s.View(); v.Points != 1 || v.OutOf != 5 { // what hints cost is for who grades
		t.Errorf("a step for 1 point: %d of %d points", v.Points, v.OutOf)
	}
	if _, err := s.Hint(); err == nil || err.Error() != "give a hint: step 1 is done" {
		t.Errorf("a done step: %v", err)
	}
	if err := s.Next(); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Hint(); err == nil || err.Error() != "give a hint: step 2 has none" {
		t.Errorf("a step without: %v", err)
	}
	s.Reset()
	if v := s.View(); v.Steps[0].Hints != 2 {
		t.Error("a reset takes back what was told")
	}
}

// TestSolve: a solved step is done and earns nothing.
func TestSolve(t *testing.T) {
	s := New(parsed(t, scenario.Lesson), Options{})
	if err := s.Solve(); err != nil {
		t.Fatal(err)
	}
	s.Judge(did("ppp"))
	if v := s.View(); v.Points != 0 || !v.Steps[0].Done || !v.Steps[0].Solved {
		t.Errorf("%+v", v)
	}
	if err := s.Solve(); err == nil {
		t.Error("a done step is solved")
	}
}

// TestExam: no hints, reasons, answers or solutions.
func TestExam(t *testing.T) {
	s := New(parsed(t, scenario.Challenge), Options{Exam: true})
	_, err := s.Hint()
	for _, err := range []error{err, s.Solve(), s.Explain()} {
		if err == nil || !strings.HasSuffix(err.Error(), ": this is an exam") {
			t.Errorf("got %v", err)
		}
	}
	if s.Tell(&Answer{Title: "why", Check: -1}) != nil {
		t.Error("it tells an answer")
	}
	news := s.Judge(did("pff"))
	s.Judge(did("efp"))
	v := s.View()
	for _, c := range append(v.Steps[0].Checks, news.Now...) {
		if c.Found != "" || c.Fail != "" {
			t.Errorf("it tells a reason: %+v", c)
		}
	}
	if v.HintsLeft != 0 || v.Answer != nil || !v.Exam {
		t.Errorf("%+v", v)
	}
}

// TestTell: an answer stays until its check holds, and has no repair in a challenge.
func TestTell(t *testing.T) {
	a := &Answer{Kind: "cause", Check: 1, Title: "b is missing", Repair: "ip netns add b"}
	s := New(parsed(t, scenario.Lesson), Options{})
	s.Judge(looked("pfp"))
	if v := s.View(); v.Steps[0].Checks[1].Fail != "" || v.Steps[0].Checks[1].Found == "" {
		t.Errorf("before the first command: %+v", v.Steps[0].Checks)
	}
	s.Judge(did("pep"))
	if v := s.View(); v.Steps[0].Checks[1].Fail != "" || v.Steps[0].Checks[1].Found != "no answer" {
		t.Errorf("undecided: %+v", v.Steps[0].Checks)
	}
	s.Judge(did("pfp"))
	if diff := cmp.Diff(a, s.Tell(a)); diff != "" {
		t.Error(diff)
	}
	s.Judge(did("ffp"))
	if s.View().Answer == nil {
		t.Error("an open check loses its answer")
	}
	if v := s.View(); v.Steps[0].Checks[1].Fail != "Did you make the second one?" || v.Steps[0].Checks[1].Found == "" {
		t.Errorf("%+v", v.Steps[0].Checks)
	}
	s.Judge(did("fpp"))
	if s.View().Answer != nil || s.Tell(a) != nil {
		t.Error("a check that holds has an answer")
	}
	if s.Tell(&Answer{Check: 3}) != nil {
		t.Error("an answer is about a check that there is not")
	}
	s.Judge(did("ppp"))
	if s.Tell(&Answer{Check: -1}) != nil {
		t.Error("a step that is done has an answer")
	}
	c := New(parsed(t, scenario.Challenge), Options{})
	if told := c.Tell(a); told == nil || told.Repair != "" || a.Repair == "" {
		t.Errorf("a challenge tells %+v", told)
	}
	if err := c.Solve(); err != nil || c.Tell(a).Repair == "" {
		t.Errorf("a solved step tells no repair: %v", err)
	}
}

// TestPast: what was remembered is taken only as far as it can be true.
func TestPast(t *testing.T) {
	s := New(parsed(t, scenario.Lesson),
		Options{Past: []Past{{Done: true, Hints: 99}, {Hints: -3}, {Done: true}, {}, {}}})
	want := []Past{{Done: true, Hints: 2}, {}, {}}
	if diff := cmp.Diff(want, s.Past()); diff != "" || s.Step() != 1 {
		t.Errorf("step %d, -want +got\n%s", s.Step(), diff)
	}
}

// TestReasons: a reason that a learner asks for counts as a hint in a challenge, once.
func TestReasons(t *testing.T) {
	s := New(parsed(t, scenario.Challenge), Options{})
	for _, one := range []struct {
		text   string
		counts bool
	}{{"a is down", true}, {"a is down", false}, {"b is down", true}} {
		if got := s.Reason(one.text); got != one.counts {
			t.Errorf("%q counts: %v", one.text, got)
		}
	}
	if _, err := s.Hint(); err != nil {
		t.Fatal(err)
	}
	s.Judge(did("ppp"))
	past := s.Past()[0]
	if v := s.View(); v.Steps[0].Hints != 3 || past.Earned(5, 1) != 2 || len(v.Hints) != 1 {
		t.Errorf("%+v earns %d: %+v", past, past.Earned(5, 1), v)
	}
	if s.Reason("a is down") {
		t.Error("a step that is done has a reason")
	}
	if again := New(parsed(t, scenario.Challenge), Options{Past: s.Past()}); again.Past()[0] != past {
		t.Errorf("%+v", again.Past()[0])
	}
	if l := New(parsed(t, scenario.Lesson), Options{}); l.Reason("a is down") || l.Past()[0].Reasons != 0 {
		t.Error("in a lesson it counts")
	}
}
