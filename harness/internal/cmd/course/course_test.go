package course

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"netnscheck/harness/internal/cmd/screen"
	"netnscheck/harness/internal/session/store"
	"netnscheck/harness/scenario"
	"netnscheck/harness/sitting"
	"netnscheck/harness/sitting/progress"
	"netnscheck/harness/term"
)

var noon = time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)

// lab is a scenario with so many steps.
func lab(t *testing.T, id string, kind scenario.Kind, steps int) *scenario.Scenario {
	t.Helper()
	text := fmt.Sprintf("---\nid: %s\nkind: %s\n---\n# The lab %[1]s, whose title is longer than there is room\n", id,
		kind)
	for i := range steps {
		text += fmt.Sprintf("\n## Step %d\n\n- [ ] namespace `n%[1]d` exists\n", i+1)
	}
	sc, err := scenario.Parse(id+".md", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return sc
}

// done is the progress of a scenario with so many steps done.
func done(sc *scenario.Scenario, steps int, saved time.Time) *progress.File {
	f := progress.New(sc, noon)
	past := make([]sitting.Past, len(sc.Steps))
	for i := range steps {
		past[i].Done = true
	}
	f.Update(past, saved)
	return f
}

func printed(t *testing.T, c Course, change func(*screen.Screen)) string {
	t.Helper()
	var out bytes.Buffer
	s := screen.Plain(&out, &out, false)
	if change != nil {
		change(s)
	}
	if err := c.Print(s); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestCourse(t *testing.T) {
	all := []*scenario.Scenario{lab(t, "first", scenario.Lesson, 2), lab(t, "first-challenge", scenario.Challenge, 3),
		lab(t, "second", scenario.Lesson, 12), lab(t, "third", scenario.Lesson, 2), lab(t, "old", scenario.Lesson, 2),
		lab(t, "facts", scenario.Conformance, 1)}
	solved := done(all[0], 2, noon)
	solved.Steps[1].Solved = true
	files := map[string]*progress.File{
		"first": solved, "first-challenge": done(all[1], 1, noon), "second": done(all[2], 10, noon.Add(time.Hour)),
		"old": done(lab(t, "old", scenario.Lesson, 1), 1, noon),
	}
	c := of("", all, func(sc *scenario.Scenario) (*progress.File, error) {
		if sc.ID == "third" {
			return nil, errors.New("read the progress of third: damaged: the file is empty")
		}
		return files[sc.ID], nil
	})
	const want = `The course: 2 of 5 labs are finished, 2 begun.

  LAB              STEPS  POINTS  TITLE
✓ first              2/2     1/2  The lab first, whose title is longer than the…
▸ first-challenge    1/3     1/3  The lab first-challenge, whose title is longe…
▸ second           10/12   10/12  The lab second, whose title is longer than th…
  third                2       2  The lab third, whose title is longer than the…
✓ old *              1/1     0/0  The lab old, whose title is longer than there…

* old has changed since you began it.
! read the progress of third: damaged: the file is empty
Next:  harness lab start second
`
	if got := printed(t, c, nil); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	for columns := 33; columns < 120; columns += 7 {
		text := printed(t, c, func(s *screen.Screen) { s.Terminal, s.Columns, s.ASCII = true, columns, true })
		for line := range strings.Lines(text) {
			if n := term.Width(strings.TrimSuffix(line, "\n")); n > columns || strings.ContainsAny(line, "✓▸…") {
				t.Errorf("%d columns on an ASCII terminal of %d: %s", n, columns, line)
			}
		}
		if strings.Contains(text, "  ...\n") {
			t.Errorf("on a terminal of %d columns the titles are gone and their column is not:\n%s", columns, text)
		}
	}
}

// TestNext: what was begun last, or else the first that is not finished.
func TestNext(t *testing.T) {
	a := Lab{ID: "a", Begun: true, Finished: true, Saved: noon.Add(time.Hour)}
	b, c := Lab{ID: "b"}, Lab{ID: "c", Begun: true, Saved: noon}
	d := Lab{ID: "d", Begun: true, Saved: noon.Add(time.Minute)}
	for _, x := range []struct {
		labs []Lab
		want string
	}{{[]Lab{b}, "b"}, {[]Lab{a, b}, "b"}, {[]Lab{a, b, c}, "c"}, {[]Lab{b, c, d}, "d"}, {[]Lab{d, b, c}, "d"},
		{[]Lab{a}, ""}} {
		if got := (Course{Labs: x.labs}).next(); got != x.want {
			t.Errorf("%v: got %q", x.labs, got)
		}
	}
	if got := printed(t, Course{Labs: []Lab{a}}, nil); !strings.HasSuffix(got, "\nAll are finished.\n") {
		t.Errorf("at the end it says\n%s", got)
	}
}

// TestLoad reads the progress of a real lab of the catalogue, a broken one, and none without a state folder.
func TestLoad(t *testing.T) {
	dir := t.TempDir()
	getenv := func(name string) string { return map[string]string{"XDG_STATE_HOME": dir}[name] }
	before, err := Load(getenv)
	if err != nil || len(before.Labs) < 10 || before.Labs[0].ID != before.Next || len(before.Problems) > 0 {
		t.Fatalf("%+v, %v", before, err)
	}
	if left, _ := os.ReadDir(dir); len(left) > 0 {
		t.Errorf("looking at the course makes %v", left)
	}
	s, err := store.Open(getenv)
	if err != nil {
		t.Fatal(err)
	}
	third := before.Labs[2].ID
	l := s.Lab(third)
	if err := l.Lock(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "netnscheck", "labs", third, "progress.json"), []byte("{"),
		0o600); err != nil {
		t.Fatal(err)
	}
	broken, err := Load(getenv)
	if err != nil || len(broken.Problems) != 1 || broken.Labs[2].Begun {
		t.Errorf("a broken one: %+v, %v", broken.Problems, err)
	}
	sc := lab(t, third, scenario.Lesson, 2)
	text, err := done(sc, 1, noon).Encode()
	if err == nil {
		err = l.Save(text)
	}
	if err != nil {
		t.Fatal(err)
	}
	after, err := Load(getenv)
	if got := after.Labs[2]; err != nil || after.Next != third || got.Done != 1 || got.Steps != 2 || !got.Changed {
		t.Errorf("%+v, %v", got, err)
	}
}
