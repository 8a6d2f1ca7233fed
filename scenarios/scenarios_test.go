package scenarios

import (
	"cmp"
	"path"
	"slices"
	"strings"
	"testing"

	"netnscheck/harness/scenario"
	"netnscheck/harness/term"
)

func TestAllIsTheCourseInOrder(t *testing.T) {
	all, err := All()
	if err != nil {
		t.Fatal(err)
	}
	sources, err := Sources()
	if err != nil {
		t.Fatal(err)
	}
	if len(all) == 0 || len(all) != len(sources) {
		t.Fatalf("%d scenarios in %d files", len(all), len(sources))
	}
	if !slices.IsSortedFunc(all, func(a, b *scenario.Scenario) int {
		return cmp.Or(cmp.Compare(a.Level, b.Level), cmp.Compare(a.ID, b.ID))
	}) {
		t.Error("the scenarios are not in order of level and id")
	}
	for _, sc := range all {
		if problems := scenario.Review(sc); len(problems) > 0 {
			t.Errorf("%v", problems)
		}
		if found, err := ByID(sc.ID); err != nil || found.File != sc.File {
			t.Errorf("ByID(%q): %v, %v", sc.ID, found, err)
		}
	}
}

func TestByIDNamesTheNearest(t *testing.T) {
	for id, want := range map[string]string{"veth-piar": "did you mean veth-pair?", "xyzzy": "harness list"} {
		if _, err := ByID(id); err == nil || !strings.Contains(err.Error(), want) ||
			!strings.Contains(err.Error(), id) {
			t.Errorf("ByID(%q): %v, want %q", id, err, want)
		}
	}
}

// TestTheFileHasTheNameOfTheID: ByID parses no other file, and gives the scenario that All gives.
func TestTheFileHasTheNameOfTheID(t *testing.T) {
	all, err := All()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range all {
		if want.File != path.Join(path.Dir(want.File), want.ID+".md") {
			t.Errorf("%s has the id %s", want.File, want.ID)
		}
		if got, err := ByID(want.ID); got != want {
			t.Errorf("%s: %p, %v, want %p", want.ID, got, err, want)
		}
	}
}

func TestReadRefusesTheWholeCatalogue(t *testing.T) {
	const text = "# T\n\n## S\n- [x] namespace `host` exists\n"
	for name, c := range map[string]struct {
		sources []Source
		want    []string
	}{
		"two of one id": {[]Source{{"a/x.md", []byte(text)}, {"b/x.md", []byte(text)}},
			[]string{"b/x.md:1: the id x is that of a/x.md already"}},
		"two that are none": {[]Source{{"a.md", nil}, {"b.md", []byte("text")}}, []string{"a.md:1: ", "b.md:1: "}},
	} {
		all, err := read(parsersOf(c.sources))
		if err == nil {
			t.Errorf("%s: %d scenarios were read", name, len(all))
			continue
		}
		for _, want := range c.want {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v; want %q", name, err, want)
			}
		}
	}
}

// TestPicturesFitATerminal: what a learner sees of a page is indented by 4 columns, and a picture cannot be wrapped.
func TestPicturesFitATerminal(t *testing.T) {
	all, err := All()
	if err != nil {
		t.Fatal(err)
	}
	for _, sc := range all {
		picture := false
		for n, line := range strings.Split(sc.Source, "\n") {
			if strings.HasPrefix(line, "```") {
				picture = !picture && line == "```text"
			} else if picture && term.Width(line) > 76 {
				t.Errorf("%s:%d: %d columns: %s", sc.File, n+1, term.Width(line), line)
			}
		}
	}
}
