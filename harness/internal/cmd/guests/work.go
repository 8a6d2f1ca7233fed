package guests

import (
	"path"
	"path/filepath"
	"slices"
	"strings"

	"netnscheck/harness/internal/cmd/input"
	"netnscheck/harness/internal/cmd/play"
	"netnscheck/harness/internal/specrun"
	"netnscheck/harness/internal/vm/wire"
	"netnscheck/harness/scenario"
	"netnscheck/reports"
	"netnscheck/scenarios"
)

// Work is what each guest has to do.
type Work struct {
	Plan []specrun.Planned
	args []string // of harness run, without drivers
	// demanding: a guest that cannot play what is demanded ends before it plays anything.
	demanding bool
	plays     int // how often a case is played at most

	files map[string][]byte // the user's scenarios, by their paths in a guest
	named map[string]string // the same, with the user's names for them
}

// scenarioFolder is where the user's scenarios are in a guest.
const scenarioFolder = "/netnscheck/scenarios"

// NewWork is the playing of what was chosen and planned.
func NewWork(choice *play.Choice, what input.Selection, plan []specrun.Planned) *Work {
	w := &Work{Plan: plan, args: []string{"run"}, files: map[string][]byte{}, named: map[string]string{}}
	if len(choice.Names) > 0 {
		for _, sc := range what.Scenarios {
			w.args = append(w.args, w.name(sc))
		}
		if what.Suites {
			w.args = append(w.args, specrun.HandWritten)
		}
	}
	w.args = append(w.args, choice.Args()...)
	w.args = append(w.args, "--evidence=false") // it would not come out with what the guest tells
	return w
}

// Demand demands the same of each guest as of a run.
func (w *Work) Demand(d *play.Demands) { w.args, w.demanding = append(w.args, d.Args()...), d.Given() }

// Repeat plays again what is to be played more than once, in each guest.
func (w *Work) Repeat(a *play.Again) { w.args, w.plays = append(w.args, a.Args()...), a.Plays() }

// name is the name of a scenario in a guest: its id or, if it is the user's own, the path of its file there.
func (w *Work) name(sc *scenario.Scenario) string {
	if own, err := scenarios.ByID(sc.ID); err == nil && own.File == sc.File {
		return sc.ID
	}
	// A rooted clean path has no "..", so that ../x.md stays below the folder. The id keeps files apart.
	inside := path.Join(scenarioFolder, sc.ID, path.Clean("/"+filepath.ToSlash(sc.File)))
	w.files[inside], w.named[inside] = []byte(sc.Source), sc.File
	return inside
}

// LabArgs are the arguments of the harness in a guest that starts the lab of a scenario.
func (w *Work) LabArgs(sc *scenario.Scenario) []string { return []string{"lab", "start", w.name(sc)} }

// with are the arguments of the harness in a guest that plays with these drivers. It writes nothing but its events: the
// reports are made outside.
func (w *Work) with(drivers []string) []string {
	args := append(slices.Clone(w.args), "--driver", strings.Join(drivers, ","), "--report", "events="+wire.Events)
	for _, format := range reports.Formats {
		if format.Usual {
			args = append(args, "--report", format.Name+"=/dev/null")
		}
	}
	return args
}

// outside puts the user's names of files into a case, for those in the guest.
func (w *Work) outside(c *reports.Case) {
	rename := func(file *string) {
		if name, ok := w.named[*file]; ok {
			*file = name
		}
	}
	rename(&c.File)
	for i := range c.Problems {
		rename(&c.Problems[i].File)
	}
}
