package main

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"netnscheck/harness/internal/specrun"
	"netnscheck/harness/scenario"
	"netnscheck/scenarios"
)

// selection is what is to run: scenarios, and after them the suites that are written in Go.
type selection struct {
	scenarios []*scenario.Scenario
	suites    bool
}

// selected reads what the user named: ids of the catalogue, files, folders, the word for the suites; without names all there is.
func selected(ctx context.Context, names []string) (selection, error) {
	if len(names) == 0 {
		all, err := scenarios.All()
		return selection{all, true}, badFile(err)
	}
	files := slices.DeleteFunc(slices.Clone(names), func(name string) bool { return name == specrun.HandWritten })
	all, err := scenariosNamed(ctx, files)
	return selection{all, len(files) < len(names)}, err
}

// scenariosNamed reads scenarios.
func scenariosNamed(ctx context.Context, names []string) ([]*scenario.Scenario, error) {
	var all []*scenario.Scenario
	var errs []error
	for _, name := range names {
		some, err := interruptible(ctx, "read "+name, func() ([]*scenario.Scenario, error) { return scenariosOf(name) })
		errs = append(errs, err)
		all = append(all, some...)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, badFile(err)
	}
	return withoutRepeats(all)
}

// scenarioNamed reads the one scenario that a name stands for.
func scenarioNamed(ctx context.Context, name string) (*scenario.Scenario, error) {
	all, err := scenariosNamed(ctx, []string{name})
	if err != nil {
		return nil, err
	}
	if len(all) != 1 {
		return nil, usage("%s has %d scenarios: name one", name, len(all))
	}
	return all[0], nil
}

// badFile gives an error the status of a bad file.
func badFile(err error) error {
	if err == nil {
		return nil
	}
	return &exit{statusUsage, err}
}

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
	sc, err := readScenario(name)
	return []*scenario.Scenario{sc}, err
}

// looksLikePath tells files and folders from ids.
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

// scenariosIn reads all scenarios of a folder and those below it, in the order of a course. A README.md is none.
func scenariosIn(dir string) ([]*scenario.Scenario, error) {
	var all []*scenario.Scenario
	var errs []error
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return readError(path, err)
		}
		if entry.IsDir() || filepath.Ext(path) != ".md" || entry.Name() == "README.md" {
			return nil
		}
		sc, err := readScenario(path)
		if err != nil {
			errs = append(errs, err)
			return nil
		}
		all = append(all, sc)
		return nil
	})
	if err := errors.Join(append(errs, err)...); err != nil {
		return nil, err
	}
	if len(all) == 0 {
		return nil, usage("read the folder %s: there is no scenario (*.md) in it", dir)
	}
	slices.SortStableFunc(all, func(a, b *scenario.Scenario) int {
		return cmp.Or(cmp.Compare(a.Level, b.Level), cmp.Compare(a.ID, b.ID))
	})
	return all, nil
}

func readScenario(path string) (*scenario.Scenario, error) {
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

// withoutRepeats leaves out what was named twice. Two files with one id are an error: their results could not be told apart.
func withoutRepeats(all []*scenario.Scenario) ([]*scenario.Scenario, error) {
	first := map[string]*scenario.Scenario{}
	var out []*scenario.Scenario
	for _, sc := range all {
		other, taken := first[sc.ID]
		switch {
		case !taken:
			first[sc.ID] = sc
			out = append(out, sc)
		case filepath.Clean(other.File) != filepath.Clean(sc.File):
			return nil, usage("%s:1: the id %s is that of %s already", sc.File, sc.ID, other.File)
		}
	}
	return out, nil
}
