// Package scenarios is the catalogue: embedded Markdown files, one folder for each subject. It may be imported by the
// command line, docs/generate and test packages; ARCHITECTURE.md lists its own imports. It never reads the file system.
package scenarios

import (
	"cmp"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"sync"

	"netnscheck/harness/nearest"
	"netnscheck/harness/scenario"
)

//go:embed */*.md
var files embed.FS

// Source is a file of the catalogue.
type Source struct {
	// File is its path in the repository, such as scenarios/tutorial/veth-pair.md.
	File string
	Text []byte
}

// Sources returns the files of the catalogue in the order of their paths.
func Sources() ([]Source, error) {
	var all []Source
	err := fs.WalkDir(files, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := files.ReadFile(name)
		all = append(all, Source{File: path.Join("scenarios", name), Text: text})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read the catalogue: %w", err)
	}
	return all, nil
}

// All returns the scenarios in the order of the course: by level, then by id. Files that do not parse and duplicate ids
// are errors; the error joins all of them. The files are parsed once; callers must not change the scenarios.
func All() ([]*scenario.Scenario, error) {
	all, err := catalogue()
	return slices.Clone(all), err
}

var catalogue = sync.OnceValues(func() ([]*scenario.Scenario, error) {
	all, err := parsers()
	if err != nil {
		return nil, err
	}
	return read(all)
})

// parser is a file that is parsed when it is needed, once.
type parser struct {
	file  string
	parse func() (*scenario.Scenario, error)
}

// parsers are those of all files, in the order of their paths.
var parsers = sync.OnceValues(func() ([]parser, error) {
	sources, err := Sources()
	return parsersOf(sources), err
})

func parsersOf(sources []Source) []parser {
	var all []parser
	for _, s := range sources {
		all = append(all, parser{s.File, sync.OnceValues(func() (*scenario.Scenario, error) {
			return scenario.Parse(s.File, s.Text)
		})})
	}
	return all
}

// read parses the files, side by side: the catalogue takes a processor a tenth of a second and more.
func read(parsers []parser) ([]*scenario.Scenario, error) {
	var together sync.WaitGroup
	for _, p := range parsers {
		together.Go(func() { p.parse() })
	}
	together.Wait()
	var all []*scenario.Scenario
	var errs []error
	file := map[string]string{}
	for _, s := range parsers {
		sc, err := s.parse()
		if err != nil {
			errs = append(errs, err)
			continue
		}
		if other, taken := file[sc.ID]; taken {
			errs = append(errs, fmt.Errorf("%s:1: the id %s is that of %s already", s.file, sc.ID, other))
			continue
		}
		file[sc.ID] = s.file
		all = append(all, sc)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	slices.SortFunc(all, func(a, b *scenario.Scenario) int {
		return cmp.Or(cmp.Compare(a.Level, b.Level), cmp.Compare(a.ID, b.ID))
	})
	return all, nil
}

// ByID finds a scenario by its id; the error for an unknown id names the nearest one. The file of a scenario has the
// name of its id, and is the only one that is parsed; without such a file all are.
func ByID(id string) (*scenario.Scenario, error) {
	files, err := parsers()
	if err != nil {
		return nil, err
	}
	for _, p := range files {
		if path.Base(p.file) == id+".md" {
			if sc, err := p.parse(); err == nil && sc.ID == id {
				return sc, nil
			}
		}
	}
	all, err := All()
	if err != nil {
		return nil, err
	}
	ids := make([]string, len(all))
	for i, sc := range all {
		if sc.ID == id {
			return sc, nil
		}
		ids[i] = sc.ID
	}
	if near, ok := nearest.Word(id, ids); ok {
		return nil, fmt.Errorf("find the scenario %q: there is none of this name, did you mean %s?", id, near)
	}
	return nil,
		fmt.Errorf("find the scenario %q: there is none of this name; `harness list` shows those that there are", id)
}
