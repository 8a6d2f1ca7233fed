// Package course is the way through the catalogue as a learner sees it: what is finished, what is begun, what comes
// next. `list --course` and `lab start` without a scenario show it. It reads progress and changes nothing.
package course

import (
	"errors"
	"slices"
	"time"

	"netnscheck/harness/internal/session/store"
	"netnscheck/harness/scenario"
	"netnscheck/harness/sitting"
	"netnscheck/harness/sitting/page"
	"netnscheck/harness/sitting/progress"
	"netnscheck/scenarios"
)

// Course is the lessons and challenges of the catalogue in their order, with a learner's progress.
type Course struct {
	Labs []Lab `json:"labs"`
	// Next is the id of the lab to go on with; "" if all are finished.
	Next string `json:"next"`
	// Problems are why some progress could not be read, one message each.
	Problems []string `json:"problems,omitempty"`
}

// Lab is one lesson or challenge.
type Lab struct {
	ID    string        `json:"id"`
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
	// Changed is set if the scenario has changed since it was begun.
	Changed bool `json:"changed,omitempty"`
}

// Load reads the course of the user with an environment. Without a state folder there is no progress, and a problem.
func Load(getenv func(string) string) (Course, error) {
	all, err := scenarios.All()
	if err != nil {
		return Course{}, err
	}
	s, err := store.Open(getenv)
	if err != nil {
		c := of(all, func(string) (*progress.File, error) { return nil, nil })
		c.Problems = []string{err.Error()}
		return c, nil
	}
	return of(all, func(id string) (*progress.File, error) { return s.Lab(store.ID(id, "", "")).Read() }), nil
}

// of is the course of scenarios, with the progress that read finds by their ids.
func of(all []*scenario.Scenario, read func(id string) (*progress.File, error)) (c Course) {
	seen := map[string]bool{}
	for _, sc := range all {
		if sc.Kind == scenario.Conformance {
			continue
		}
		file, err := read(sc.ID)
		if err != nil && !seen[err.Error()] {
			seen[err.Error()] = true
			c.Problems = append(c.Problems, err.Error())
		}
		c.Labs = append(c.Labs, labOf(sc, file))
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

// next is the lab to go on with: of those that are begun the one where something was done last, or else the first that
// is not finished.
func (c Course) next() string {
	open := slices.DeleteFunc(slices.Clone(c.Labs), func(l Lab) bool { return l.Finished })
	if len(open) == 0 {
		return ""
	}
	next := open[0]
	for _, l := range open[1:] {
		if l.Saved.After(next.Saved) {
			next = l
		}
	}
	return next.ID
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
