package doctor

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"

	"netnscheck/harness/internal/cmd/machine"
	"netnscheck/harness/internal/cmd/status"
	"netnscheck/harness/internal/kernel"
	"netnscheck/harness/internal/program"
	"netnscheck/harness/internal/sandbox"
	"netnscheck/harness/lab"
	"netnscheck/harness/scenario"
	"netnscheck/scenarios"
)

// findings are the results of the examination, as `doctor --json` prints them.
type findings struct {
	Drivers   []string    `json:"drivers"`   // none where no lab can be made
	Scenarios int         `json:"scenarios"` // in the catalogue
	Playable  int         `json:"playable"`  // the rest is skipped or undecided
	Skipped   []skipped   `json:"skipped"`
	Undecided []undecided `json:"undecided"`

	Kernel       string            `json:"kernel"`
	Architecture string            `json:"architecture"`
	Privilege    string            `json:"privilege"`
	Sandbox      bool              `json:"sandbox"`
	Walls        []item            `json:"walls"`
	Programs     []item            `json:"programs"`
	Install      string            `json:"install,omitempty"` // how root installs the absent programs
	Features     []machine.Feature `json:"features"`
}

// skipped are the scenarios that a run would skip because the machine lacks a feature or program that they require.
type skipped struct {
	Lacking   string   `json:"lacking"`
	Scenarios []string `json:"scenarios"`
}

// undecided are the scenarios that would be errors in a run because the trial of a feature that they require did not
// tell whether the machine has it.
type undecided struct {
	Feature   string   `json:"feature"`
	Scenarios []string `json:"scenarios"`
}

// item is a wall or a program, and its state in words.
type item struct {
	Name    string `json:"name"`
	Present bool   `json:"present"`
	Says    string `json:"says"`
}

// programs are the programs that scenarios use, and for what.
var programs = []struct {
	name, use string
	version   func() string
}{
	{"ip", "the driver iproute2", kernel.IPRoute2},
	{"bridge", "scenarios about bridges", nil},
	{"tc", "scenarios about queueing disciplines", nil},
	{"ping", "the driver iproute2", kernel.Ping},
	{"nft", "scenarios about firewalls", nil},
	{"sysctl", "the driver iproute2", nil},
	{"busybox", "the driver busybox, and scenarios with small servers", kernel.Busybox},
	{"tcpdump", "scenarios that look at packets", nil},
	{"nsenter", "entering a lab that --keep left", nil},
}

// examine examines the machine. The error says that no run is possible here, or that the features could not be tried.
func examine(ctx context.Context) (f findings, ended error) {
	missing, err := sandbox.Possible()
	forbidden := machine.NoSandbox(err)
	f = findings{
		Drivers: []string{}, Skipped: []skipped{}, Undecided: []undecided{}, Walls: []item{},
		Features: []machine.Feature{},
		Kernel:   kernel.Release(), Architecture: kernel.Arch(), Privilege: kernel.Privilege(),
		Sandbox: forbidden == nil,
	}
	if f.Sandbox {
		f.lookAtWalls(missing)
	}
	f.lookAtPrograms()
	if f.Sandbox || os.Geteuid() == 0 {
		if f.Features, err = machine.Look(ctx, f.Sandbox, kernel.Words()); err != nil {
			f.Features, ended = []machine.Feature{}, status.Cannotf("try the kernel's features: %w", err)
		}
	}
	if forbidden != nil {
		return f, fmt.Errorf("make a lab: %w", forbidden)
	}
	if ended != nil {
		return f, ended
	}
	return f, f.lookAtCatalogue()
}

// lookAtWalls lists the walls of the sandbox; missing are those that it cannot have on this machine.
func (f *findings) lookAtWalls(missing []sandbox.Lack) {
	for _, w := range sandbox.Walls {
		var why []string
		for _, l := range missing {
			if l.Wall == w.Wall {
				why = append(why, l.Why)
			}
		}
		says := "up: " + w.Is
		if len(why) > 0 {
			says = fmt.Sprintf("missing: %s (%s)", w.Is, strings.Join(why, "; "))
		}
		f.Walls = append(f.Walls, item{string(w.Wall), len(why) == 0, says})
	}
}

func (f *findings) lookAtPrograms() {
	var absent []string
	for _, p := range programs {
		path, err := kernel.LookPath(p.name)
		pkg := program.Package(p.name)
		i := item{Name: p.name}
		switch {
		case err != nil:
			i.Says = fmt.Sprintf("absent (package %s): %s cannot run", pkg, p.use)
			absent = append(absent, pkg)
		case p.version == nil:
			i.Present, i.Says = true, "present: "+path
		case p.version() == "":
			i.Says = fmt.Sprintf("another program of this name (%s): %s cannot run; %s", path, p.use,
				machine.InstallHint(pkg))
		default:
			i.Present, i.Says = true, fmt.Sprintf("present: %s, version %s%s", path, p.version(), triedWith(p.name))
		}
		f.Programs = append(f.Programs, i)
	}
	if len(absent) > 0 {
		f.Install = machine.InstallHint(absent...)
	}
}

// lookAtCatalogue finds out what a run of the catalogue would play, skip or end with an error.
func (f *findings) lookAtCatalogue() error {
	drivers, _, err := machine.Drivers(nil)
	if err != nil {
		return err
	}
	for _, d := range drivers {
		f.Drivers = append(f.Drivers, d.Name())
	}
	all, err := scenarios.All()
	if err != nil {
		return err
	}
	f.Scenarios = len(all)
	for _, sc := range all {
		f.sort(sc)
	}
	return nil
}

// sort counts a scenario as one that a run would play, skip or end with an error.
func (f *findings) sort(sc *scenario.Scenario) {
	lacking, unknown := f.unmet(sc)
	switch {
	case len(unknown) > 0: // an error, whatever else is lacking
		for _, what := range unknown {
			i := slices.IndexFunc(f.Undecided, func(u undecided) bool { return u.Feature == what })
			if i < 0 {
				i, f.Undecided = len(f.Undecided), append(f.Undecided, undecided{Feature: what})
			}
			f.Undecided[i].Scenarios = append(f.Undecided[i].Scenarios, sc.ID)
		}
	case len(lacking) > 0:
		for _, what := range lacking {
			i := slices.IndexFunc(f.Skipped, func(s skipped) bool { return s.Lacking == what })
			if i < 0 {
				i, f.Skipped = len(f.Skipped), append(f.Skipped, skipped{Lacking: what})
			}
			f.Skipped[i].Scenarios = append(f.Skipped[i].Scenarios, sc.ID)
		}
	default:
		f.Playable++
	}
}

// unmet returns the features and programs that a scenario requires and this machine lacks, and the features of which
// the trial could not tell.
func (f *findings) unmet(sc *scenario.Scenario) (lacking, unknown []string) {
	for _, word := range sc.Requires {
		if name, isProgram := strings.CutPrefix(word, "program:"); isProgram {
			if _, err := kernel.LookPath(name); err != nil {
				lacking = append(lacking, word)
			}
			continue
		}
		i := slices.IndexFunc(f.Features, func(x machine.Feature) bool { return x.Name == word })
		switch {
		case i < 0 || f.Features[i].Presence == kernel.Unknown.String():
			unknown = append(unknown, word)
		case f.Features[i].Presence == kernel.Absent.String():
			lacking = append(lacking, word)
		}
	}
	return lacking, unknown
}

// triedWith names the version of a driver's program from which its unsupported commands are known, for a driver that
// substitutes for them.
func triedWith(program string) string {
	for _, d := range lab.Drivers() {
		if s, ok := d.(lab.Substituting); ok && d.Name() == program {
			return "; its gaps are known as of version " + s.TriedWith()
		}
	}
	return ""
}
