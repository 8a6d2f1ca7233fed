package input

import (
	"cmp"
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"netnscheck/harness/scenario"
	"netnscheck/scenarios"
)

// Drafts reads scenarios that may have faults.
type Drafts struct {
	first map[string]string // the first file with an id
}

// Files are the files that the names of files and folders stand for, each once.
func Files(ctx context.Context, names []string) (paths []string, err error) {
	for _, name := range names {
		some, err := Interruptible(ctx, "read "+name, func() ([]string, error) {
			if info, err := os.Stat(name); err == nil && info.IsDir() {
				return filesIn(name)
			}
			return []string{name}, nil
		})
		if err != nil {
			return nil, err
		}
		for _, path := range some {
			if !slices.ContainsFunc(paths, func(other string) bool { return same(other, path) }) {
				paths = append(paths, path)
			}
		}
	}
	return paths, nil
}

func same(a, b string) bool { return filepath.Clean(a) == filepath.Clean(b) }

// Read reads one file, and all faults of its text. Features that do not exist, and an id that another file or a
// scenario of the catalogue has, are faults too, but the scenario can be played. The error is that of the file.
func (d *Drafts) Read(ctx context.Context, path string) (scenario.Draft, error) {
	return Interruptible(ctx, "read "+path, func() (scenario.Draft, error) {
		text, err := readFile(path, scenarioLimit, 0)
		if err != nil {
			return scenario.Draft{}, err
		}
		draft := readDraft(path, text, scenario.Values{})
		if draft.Scenario != nil {
			draft.Problems = append(draft.Problems, d.takenID(draft.Scenario)...)
			inOrder(draft.Problems)
		}
		return draft, nil
	})
}

// With is a draft read again with values of its variables. It has no other problems than those of the draft but the
// new ones, which are returned, too.
func With(draft scenario.Draft, values scenario.Values) (chosen scenario.Draft, found scenario.Problems) {
	chosen = readDraft(draft.Scenario.File, []byte(draft.Scenario.Source), values)
	found = slices.DeleteFunc(chosen.Problems, func(p scenario.Problem) bool {
		return slices.ContainsFunc(draft.Problems, func(old scenario.Problem) bool {
			return old.String() == p.String()
		})
	})
	chosen.Problems = slices.Concat(draft.Problems, found)
	inOrder(chosen.Problems)
	return chosen, found
}

func readDraft(path string, text []byte, values scenario.Values) scenario.Draft {
	draft := scenario.ReadDraft(path, text, values)
	if sc := draft.Scenario; sc != nil {
		draft.Problems = append(draft.Problems, unknownFeatures(sc)...)
		inOrder(draft.Problems)
		sc.Requires = slices.DeleteFunc(sc.Requires, func(feature string) bool { return !isKnown(feature) })
	}
	return draft
}

func inOrder(problems scenario.Problems) {
	slices.SortStableFunc(problems, func(a, b scenario.Problem) int { return cmp.Compare(a.Line, b.Line) })
}

// takenID refuses the id of another scenario.
func (d *Drafts) takenID(sc *scenario.Scenario) scenario.Problems {
	if other, ok := d.first[sc.ID]; ok {
		return idTaken(sc, other)
	}
	if d.first == nil {
		d.first = map[string]string{}
	}
	d.first[sc.ID] = sc.File
	known, err := scenarios.ByID(sc.ID)
	if err != nil || isOf(known, sc) {
		return nil
	}
	return idTaken(sc, known.File+" in the catalogue")
}

// isOf reports whether a file is that of a scenario of the catalogue, perhaps with changes, or a copy.
func isOf(known, sc *scenario.Scenario) bool {
	path, err := filepath.Abs(sc.File)
	return err == nil && strings.HasSuffix(path, "/"+known.File) || known.Source == sc.Source
}
