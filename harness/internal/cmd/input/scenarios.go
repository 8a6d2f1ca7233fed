package input

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"netnscheck/harness/internal/cmd/status"
	"netnscheck/harness/internal/specrun"
	"netnscheck/harness/nearest"
	"netnscheck/harness/scenario"
	"netnscheck/scenarios"
)

// Selection is what to run: scenarios and then, if Suites, the suites written in Go.
type Selection struct {
	Scenarios []*scenario.Scenario
	Suites    bool
}

// Selected reads what the user named: ids of the catalogue, files, folders and the word for the suites. Without names
// it selects the whole catalogue and the suites.
func Selected(ctx context.Context, names []string) (Selection, error) {
	if len(names) == 0 {
		all, err := scenarios.All()
		return Selection{all, true}, status.With(status.Usage, err)
	}
	files := slices.DeleteFunc(slices.Clone(names), func(name string) bool { return name == specrun.HandWritten })
	for _, name := range files {
		if _, near := nearest.Word(name, []string{specrun.HandWritten}); near && !looksLikePath(name) {
			return Selection{}, status.Usagef("find the scenario %q: there is none of this name, did you mean %s?",
				name, specrun.HandWritten)
		}
	}
	all, err := scenariosNamed(ctx, files)
	return Selection{all, len(files) < len(names)}, err
}

// scenariosNamed reads the scenarios with these names, each once, and joins all errors.
func scenariosNamed(ctx context.Context, names []string) ([]*scenario.Scenario, error) {
	var all []*scenario.Scenario
	var errs []error
	for _, name := range names {
		some, err := Interruptible(ctx, "read "+name, func() ([]*scenario.Scenario, error) { return scenariosOf(name) })
		errs = append(errs, err)
		all = append(all, some...)
	}
	err := errors.Join(errs...)
	switch {
	case err != nil && ctx.Err() != nil: // it was interrupted
		return nil, status.With(status.Cut, err)
	case err != nil:
		return nil, status.With(status.Usage, err)
	}
	return WithoutRepeats(all)
}

// Scenarios reads the scenarios of one name: an id, a file or a folder. There is at least one.
func Scenarios(ctx context.Context, name string) ([]*scenario.Scenario, error) {
	return scenariosNamed(ctx, []string{name})
}

// Scenario reads the one scenario with this id or file.
func Scenario(ctx context.Context, name string) (*scenario.Scenario, error) {
	all, err := scenariosNamed(ctx, []string{name})
	if err != nil {
		return nil, err
	}
	if len(all) != 1 {
		return nil, status.Usagef("%s has %d scenarios: name one", name, len(all))
	}
	return all[0], nil
}

// scenariosOf reads the scenarios of one name: an id, a file or a folder.
func scenariosOf(name string) ([]*scenario.Scenario, error) {
	if !looksLikePath(name) {
		sc, err := scenarios.ByID(name)
		return []*scenario.Scenario{sc}, err
	}
	info, err := os.Stat(name)
	switch {
	case err != nil:
		return nil, readError(name, err)
	case info.IsDir():
		return scenariosIn(name)
	}
	sc, err := ScenarioFile(name)
	return []*scenario.Scenario{sc}, err
}

// InCatalogue reports whether a name is an id of the catalogue, not a file or a folder.
func InCatalogue(name string) bool { return !looksLikePath(name) }

// looksLikePath distinguishes files and folders from ids.
func looksLikePath(name string) bool {
	if strings.HasSuffix(name, ".md") || strings.ContainsRune(name, '/') || name == "." || name == ".." {
		return true
	}
	if _, err := scenarios.ByID(name); err == nil {
		return false
	}
	info, err := os.Stat(name)
	return err == nil && info.IsDir()
}

// scenariosIn reads all scenarios below a folder, in the order of a course: by level, then by id.
func scenariosIn(dir string) ([]*scenario.Scenario, error) {
	paths, err := filesIn(dir)
	if err != nil {
		return nil, err
	}
	var all []*scenario.Scenario
	var errs []error
	for _, path := range paths {
		sc, err := ScenarioFile(path)
		errs = append(errs, err)
		all = append(all, sc)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	slices.SortStableFunc(all, func(a, b *scenario.Scenario) int {
		return cmp.Or(cmp.Compare(a.Level, b.Level), cmp.Compare(a.ID, b.ID))
	})
	return all, nil
}

// filesIn are the files of all scenarios below a folder, in the order of their paths. It skips README.md.
func filesIn(dir string) ([]string, error) {
	var paths []string
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return readError(path, err)
		case !entry.IsDir() && filepath.Ext(path) == ".md" && entry.Name() != "README.md":
			paths = append(paths, path)
		}
		return nil
	})
	if err == nil && len(paths) == 0 {
		err = status.Usagef("read the folder %s: there is no scenario (*.md) in it", dir)
	}
	return paths, err
}

// ScenarioFile reads a scenario and checks that the features it requires are known.
func ScenarioFile(path string) (*scenario.Scenario, error) {
	text, err := readFile(path, scenarioLimit, 0)
	if err != nil {
		return nil, err
	}
	sc, err := scenario.Parse(path, text)
	if err != nil {
		return nil, err
	}
	return sc, inVocabulary(sc)
}

// WithoutRepeats drops repeated scenarios. Two files with the same id are an error: their results could not be
// distinguished.
func WithoutRepeats(all []*scenario.Scenario) ([]*scenario.Scenario, error) {
	first := map[string]*scenario.Scenario{}
	var out []*scenario.Scenario
	for _, sc := range all {
		other, taken := first[sc.ID]
		switch {
		case !taken:
			first[sc.ID] = sc
			out = append(out, sc)
		case filepath.Clean(other.File) != filepath.Clean(sc.File):
			return nil, status.With(status.Usage, idTaken(sc, other.File))
		}
	}
	return out, nil
}

func idTaken(sc *scenario.Scenario, by string) scenario.Problems {
	message := fmt.Sprintf("the id %s is that of %s already", sc.ID, by)
	return scenario.Problems{{File: sc.File, Line: sc.IDLine, Message: message}}
}
