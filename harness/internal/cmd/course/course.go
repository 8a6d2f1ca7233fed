// Package course is the way through the catalogue as a learner sees it: what is finished, what is begun, what comes
// next. `list --course` and `lab start` without a scenario show it. It reads progress and changes nothing.
package course

import (
	"cmp"
	"context"
	"errors"
	"path/filepath"
	"slices"
	"time"

	"netnscheck/harness/internal/cmd/machine"
	"netnscheck/harness/internal/session/store"
	"netnscheck/harness/scenario"
	"netnscheck/harness/sitting"
	"netnscheck/harness/sitting/page"
	"netnscheck/harness/sitting/progress"
	"netnscheck/scenarios"
)

// Course is the lessons and challenges of the catalogue, or of a folder, in their order, with a learner's progress.
type Course struct {
	// Folder is "" for the catalogue.
	Folder string `json:"folder,omitempty"`
	Labs   []Lab  `json:"labs"`
	// Next is what starts the lab to go on with, its id or its file; "" if all are finished.
	Next string `json:"next"`
	// Problems are why some progress could not be read, one message each.
	Problems []string `json:"problems,omitempty"`

	scenarios []*scenario.Scenario // of Labs
}

// Lab is one lesson or challenge.
type Lab struct {
	ID string `json:"id"`
	// File starts it in the place of the id; "" for the catalogue.
	File  string        `json:"file,omitempty"`
	Title string        `json:"title"`
	Kind  scenario.Kind `json:"kind"`
	Level int           `json:"level"`
	// Done is how many of the Steps are done, Points how many of OutOf are earned.
	Done   int `json:"done"`
	Steps  int `json:"steps"`
	Points int `json:"points"`
	OutOf  int `json:"out_of"`
	// Begun and Finished say how far it is. Saved is when something was last done in it, zero if it is not begun.
	Begun    bool      `json:"begun"`
	Finished bool      `json:"finished"`
	Saved    time.Time `json:"saved,omitzero"`
	// Lacks is what this machine lacks for it, each as a sentence; nil if it can be done here, or was not looked at.
	Lacks []string `json:"lacks,omitempty"`
	// Changed is set if the scenario has changed since it was begun.
	Changed bool `json:"changed,omitempty"`
}

// Load reads the course of the catalogue for the user with an environment. Without a state folder there is no progress,
// and a problem.
func Load(getenv func(string) string) (Course, error) {
	all, err := scenarios.All()
	if err != nil {
		return Course{}, err
	}
	return load(getenv, "", all), nil
}

// In is Load for the scenarios of a folder.
func In(getenv func(string) string, folder string, all []*scenario.Scenario) Course {
	return load(getenv, folder, all)
}

func load(getenv func(string) string, folder string, all []*scenario.Scenario) Course {
	s, err := store.Open(getenv)
	if err != nil {
		c := of(folder, all, func(*scenario.Scenario) (*progress.File, error) { return nil, nil })
		c.Problems = []string{err.Error()}
		return c
	}
	return of(folder, all, func(sc *scenario.Scenario) (*progress.File, error) {
		return s.Lab(LabOf(sc, "", folder == "")).Read()
	})
}

// LabOf is the name under which the lab of a scenario is kept, and of what is done with it (store.ID).
func LabOf(sc *scenario.Scenario, variant string, catalogue bool) string {
	if catalogue || sc.File == "" {
		return store.ID(sc.ID, variant, "")
	}
	path, err := filepath.Abs(sc.File)
	if err != nil {
		path = sc.File
	}
	return store.ID(sc.ID, variant, path)
}

// of is the course of scenarios, with the progress that read finds.
func of(folder string, all []*scenario.Scenario, read func(*scenario.Scenario) (*progress.File, error)) Course {
	c := Course{Folder: folder}
	seen := map[string]bool{}
	for _, sc := range all {
		if sc.Kind == scenario.Conformance {
			continue
		}
		file, err := read(sc)
		if err != nil && !seen[err.Error()] {
			seen[err.Error()] = true
			c.Problems = append(c.Problems, err.Error())
		}
		l := labOf(sc, file)
		if folder != "" {
			l.File = sc.File
		}
		c.Labs, c.scenarios = append(c.Labs, l), append(c.scenarios, sc)
	}
	c.Next = c.next()
	return c
}

func labOf(sc *scenario.Scenario, f *progress.File) Lab {
	l := Lab{ID: sc.ID, Title: page.WithValues(sc, sc.Title), Kind: sc.Kind, Level: sc.Level, Steps: len(sc.Steps)}
	worth := sitting.Worth(sc)
	for _, points := range worth {
		l.OutOf += points
	}
	if f == nil {
		return l
	}
	l.Begun, l.Finished, l.Saved, l.Done = true, f.Finished(), f.Saved, f.DoneSteps()
	l.Changed = errors.Is(f.Fits(sc), progress.ErrChanged)
	if len(f.Steps) != len(sc.Steps) { // the scenario has other steps by now
		l.Steps, l.OutOf = len(f.Steps), 0
		return l
	}
	for i, past := range f.Past() {
		l.Points += past.Earned(worth[i], 0)
	}
	return l
}

// Examine finds out which labs this machine can do. It tries the features of the kernel that they require.
func (c *Course) Examine(ctx context.Context) {
	found := machine.LookAtLabs(ctx, c.scenarios...)
	for i, sc := range c.scenarios {
		c.Labs[i].Lacks = nil
		for _, need := range found.Lacks(sc) {
			c.Labs[i].Lacks = append(c.Labs[i].Lacks, need.Name+": "+need.Says)
		}
	}
	c.Next = c.next()
}

// next is the lab to go on with: of those that are begun the one where something was done last, or else the first that
// is not finished. What this machine cannot do is left out.
func (c Course) next() string {
	open := slices.DeleteFunc(slices.Clone(c.Labs), func(l Lab) bool { return l.Finished || len(l.Lacks) > 0 })
	if len(open) == 0 {
		return ""
	}
	next := open[0]
	for _, l := range open[1:] {
		if l.Saved.After(next.Saved) {
			next = l
		}
	}
	return cmp.Or(next.File, next.ID)
}

// count is how many labs are finished and how many others are begun.
func (c Course) count() (finished, begun int) {
	for _, l := range c.Labs {
		switch {
		case l.Finished:
			finished++
		case l.Begun:
			begun++
		}
	}
	return finished, begun
}
