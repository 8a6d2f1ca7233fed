package guests

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"netnscheck/harness/internal/cmd/machine"
	"netnscheck/harness/internal/cmd/status"
	"netnscheck/harness/internal/specrun"
	"netnscheck/harness/internal/untrusted"
	"netnscheck/harness/internal/vm/image"
	"netnscheck/harness/internal/vm/kernels"
	vm "netnscheck/harness/internal/vm/machine"
	"netnscheck/harness/internal/vm/matrix"
	"netnscheck/harness/scenario"
	"netnscheck/harness/term"
	"netnscheck/reports"
)

// Stage is what is being done for a guest.
type Stage string

// The stages, in their order.
const (
	Finding Stage = "finding its kernel"
	Making  Stage = "making its image"
	Booting Stage = "booting"
	Playing Stage = "playing"
)

// News is how far a guest is.
type News struct {
	Stage       Stage
	Kernel      kernels.Kernel // from Making on
	Done, Cases int
	Bad         int
	Running     string // a case
	Ended       *Case  // that has just ended, or will never be
}

// Case is a case of a guest and its suite, under the names of the report.
type Case struct {
	Suite reports.Suite
	Case  reports.Case
}

// Played is what became of a guest.
type Played struct {
	Guest    reports.Guest
	Suites   []reports.Suite // every planned case
	Problems []string
	Unmet    int // how many of the problems are demands that it did not meet
	LeftOut  []reports.LeftOut
	Output   string   // what the harness printed there
	Unable   bool     // it could not start
	Booted   bool     // it got as far as the harness
	Fault    error    // of this machine, which says nothing about the kernel
	Notes    []string // what its report should be read with, a line each
	Command  string   // boots it again, as long as its folder is there
}

// The classes of a guest that could not start, and of one of whose run nobody knows how it would have ended: it says
// nothing about its kernel.
const (
	NotStarted = string(vm.NotStarted)
	NoResult   = string(vm.NoResult)
)

// Names that a guest's machine gives to a report.
const (
	kernelProperty  = "kernel"
	packageProperty = "package"
	versionProperty = "package version"
	clockProperty   = "clock"
	modulesProperty = "missing modules" // of those that a guest loads when it starts
	lackingProperty = "not loaded"      // modules that the kernel did not take
	programProperty = "missing programs"
	taintProperty   = "tainted before the run"
	warnedProperty  = "warned before the run"
)

// noted are the properties that are told beside the end of a guest, too: they fail nothing, and explain much.
var noted = []string{modulesProperty, lackingProperty, programProperty, taintProperty, warnedProperty}

// Play makes and starts the guest of a row, which plays the work, and takes what it tells until it ends. folder is for
// its evidence. The cases of the plan are all in the result, whatever happens. tell is called for each step of the way.
func (r *Rig) Play(ctx context.Context, row matrix.Row, w *Work, folder string, tell func(News)) Played {
	drivers, err := machine.KnownDrivers(row.Drivers)
	if err != nil {
		return broken(row, err)
	}
	account, err := specrun.NewElsewhere(w.Plan, drivers)
	if err != nil {
		return broken(row, err)
	}
	account.Plays = w.plays
	g := &guest{row: row, work: w, account: account, tell: tell, news: News{Stage: Finding, Cases: account.Cases()}}
	g.say()
	end, err := g.play(ctx, r, folder, drivers)
	return g.played(ctx, end, err)
}

// broken is a guest for which nothing could be planned.
func broken(row matrix.Row, err error) Played {
	return Played{Unable: true, Guest: reports.Guest{
		Name: row.Name(), Class: NotStarted, Words: err.Error(), Properties: []reports.Property{},
	}}
}

// guest is a guest at work.
type guest struct {
	row     matrix.Row
	work    *Work
	account *specrun.Elsewhere
	tell    func(News)
	news    News

	kernel  kernels.Kernel
	clock   string
	own     *reports.Run // what it reports besides its cases
	output  strings.Builder
	lies    []string // what it told that cannot be, a few of it
	machine vm.Guest
	without []reports.Property // what could not be had for it
}

func (g *guest) say() { g.tell(g.news) }

func (g *guest) play(ctx context.Context, r *Rig, folder string, drivers []string) (vm.End, error) {
	g.clock = r.Clock()
	made, err := r.make(ctx, g, folder)
	if err != nil {
		return vm.End{}, err
	}
	made.Args, made.Files, made.Cases = g.work.with(drivers), g.work.files, g.account.Cases()
	g.machine = made
	g.news.Stage = Booting
	g.say()
	return vm.Run(ctx, made, g.take)
}

// found takes the kernel that was found.
func (g *guest) found(k kernels.Kernel) {
	g.kernel, g.news.Kernel, g.news.Stage = k, k, Making
	g.say()
}

// make finds the kernel of a row and makes the guest that boots it, without anything to do.
func (r *Rig) make(ctx context.Context, g *guest, folder string) (vm.Guest, error) {
	row := g.row
	k, err := r.Find(ctx, row.Kernel)
	if err != nil {
		return vm.Guest{}, err
	}
	g.found(k)
	u, err := r.Programs(ctx, row)
	if err != nil {
		return vm.Guest{}, err
	}
	img, err := image.Make(ctx, r.Store, image.Contents{Kernel: k, Modules: r.Load, Programs: u.Root})
	if err != nil {
		return vm.Guest{}, fmt.Errorf("make the image for %s: %w", row.Name(), err)
	}
	g.without = []reports.Property{
		{Name: modulesProperty, Value: strings.Join(img.Missing, ", ")},
		{Name: programProperty, Value: strings.Join(u.Missing, ", ")},
	}
	direct, err := k.Direct(ctx, r.Store)
	if err != nil {
		return vm.Guest{}, err
	}
	if folder, err = filepath.Abs(folder); err != nil {
		return vm.Guest{}, fmt.Errorf("find the folder for the guest: %w", err)
	}
	return vm.Guest{
		Name: row.Name(), Kernel: direct, Initrd: img.Path, User: r.User, Append: r.Append,
		Memory: r.Memory, CPUs: r.CPUs, Virtual: r.Virtual(), Limit: r.Limit, Folder: folder, Keep: r.Keep,
	}, nil
}

// take takes what the guest tells.
func (g *guest) take(e vm.Event) {
	g.news.Ended = nil
	switch {
	case e.Begin != nil:
		if err := g.account.Begin(e.Begin.Suite, e.Begin.Name); err != nil {
			g.lie(err)
			return
		}
		g.news.Stage = Playing
		g.news.Running = untrusted.Shown(fmt.Sprintf("%s “%s”", e.Begin.Suite, e.Begin.Name))
	case e.Case != nil:
		told := e.Case.Case
		inside := told.File
		g.work.outside(&told)
		s, c, err := g.account.End(e.Case.Suite, told)
		if err != nil {
			g.lie(fmt.Errorf("%w (%s)", err, inside))
			return
		}
		g.news.Stage, g.news.Done = Playing, g.account.Ended()
		if c.Outcome != scenario.Pass && c.Outcome != scenario.Skip {
			g.news.Bad++
		}
		g.news.Ended = &Case{named(s, g.row), c}
	case e.Output != "":
		if g.output.Len() < untrusted.TextSize {
			g.output.WriteString(untrusted.Shown(e.Output) + "\n")
		}
		return
	case e.Run != nil:
		g.own = e.Run
		return
	default:
		return
	}
	g.say()
}

// named is a suite under its name in the report. It is played again in the same guest.
func named(s reports.Suite, row matrix.Row) reports.Suite {
	s.Guest = row.Name()
	if s.Again == "" {
		return s
	}
	s.Again += " --kernel " + term.ShellWord(row.Kernel)
	if row.IPRoute2 != "" {
		s.Again += " --iproute2 " + term.ShellWord(row.IPRoute2)
	}
	return s
}

// mostLies is how many impossible messages are quoted.
const mostLies = 4

func (g *guest) lie(err error) {
	if len(g.lies) < mostLies {
		g.lies = append(g.lies, untrusted.Shown(err.Error()))
	}
}

// played sums up: what the guest said of itself, what its kernel did, and what its cases say. The worst of it is how it
// ended.
func (g *guest) played(ctx context.Context, end vm.End, err error) Played {
	p := Played{Output: g.output.String(), Booted: end.Ready != nil, Fault: faultOf(end, err)}
	if g.machine.Kernel != "" {
		p.Command = g.machine.Command()
	}
	p.Guest = g.guest(end)
	for _, property := range p.Guest.Properties {
		if slices.Contains(noted, property.Name) {
			p.Notes = append(p.Notes, property.Name+": "+property.Value)
		}
	}
	g.judge(ctx, &p.Guest, err)
	p.Unable = p.Guest.Class == NotStarted
	if running := g.account.Running(); len(running) > 0 && p.Guest.Bad() {
		p.Guest.Words += ", while " + reports.And(running[:min(len(running), 3)]) + " ran"
	}
	g.news.Running = ""
	g.account.Complete(cmp.Or(p.Guest.Words, p.Guest.Class), func(s reports.Suite, c reports.Case) {
		g.news.Ended = &Case{named(s, g.row), c}
		g.say()
	})
	for _, s := range g.account.Suites {
		p.Suites = append(p.Suites, named(s, g.row))
	}
	if g.own != nil {
		for _, text := range g.own.Problems {
			p.Problems = append(p.Problems, p.Guest.Name+": "+untrusted.Shown(text))
		}
		p.Unmet = g.unmet()
		for _, text := range g.own.Leftovers {
			p.Problems = append(p.Problems, p.Guest.Name+": left behind in the guest: "+untrusted.Shown(text))
		}
		p.LeftOut = g.own.LeftOut
	}
	p.Problems = append(p.Problems, g.disagreement(&p)...)
	return p
}

// faultOf is the fault of this machine that kept a guest from its end: it cannot run qemu, or its disk is full.
func faultOf(end vm.End, err error) error {
	var cannot *vm.CannotError
	switch {
	case errors.As(err, &cannot), errors.Is(err, syscall.ENOSPC):
		return err
	case end.Refused:
		return errors.New(end.Words)
	}
	return nil
}

// guest is what is reported of a guest, as its machine tells it.
func (g *guest) guest(end vm.End) reports.Guest {
	told := reports.Guest{
		Name: g.row.Name(), Class: string(end.Class), Words: end.Words, Took: end.Took, Properties: g.properties(&end),
	}
	switch {
	case end.Class == vm.Failed && end.Status == status.Cut:
		told.Class, told.Words = NoResult, "the harness in it was cut short: "+end.Words
	case end.Class == vm.Failed && end.Status == status.Cannot && g.skipped():
		told.Class, told.Words = reports.GuestPassed, "every case was skipped"
	case end.Class == vm.Failed && end.Status == status.Cannot && g.unmet() > 0:
		told.Class, told.Words = reports.GuestPassed, "" // its problems say it
	case end.Class == vm.Failed && end.Status == status.Cannot && g.refused():
		told.Class, told.Words = NotStarted, lastLine(g.output.String())
	}
	for _, f := range end.Faults {
		told.Faults = append(told.Faults, reports.Fault{
			Class: string(f.Class), Title: f.Title, At: f.At, Process: f.Process, Trace: f.Trace,
			File: near(end.Console), Line: f.Line,
		})
	}
	if end.Console != "" {
		for _, file := range append([]string{end.Console}, end.Evidence...) {
			told.Evidence = append(told.Evidence, near(file))
		}
	}
	return told
}

// unmet is how many of the problems that a guest reports are demands that it did not meet.
func (g *guest) unmet() int {
	if g.own == nil {
		return 0
	}
	return max(0, min(g.own.Unmet, len(g.own.Problems)))
}

// refused tells whether a guest cannot play what is demanded, and has begun nothing.
func (g *guest) refused() bool {
	return g.account != nil && g.work.demanding && g.account.Ended() == 0 && len(g.account.Running()) == 0
}

// skipped tells whether every case has ended and was skipped.
func (g *guest) skipped() bool {
	if g.account == nil || g.account.Ended() < g.account.Cases() {
		return false
	}
	var c reports.Counts
	for i := range g.account.Suites {
		c.Add(g.account.Suites[i].Count())
	}
	return c.Skip == c.Total()
}

// near is a path as seen from the current folder, if it lies below that.
func near(path string) string {
	here, err := os.Getwd()
	if err != nil {
		return path
	}
	if below, err := filepath.Rel(here, path); err == nil && filepath.IsLocal(below) {
		return below
	}
	return path
}

// judge gives a guest its class where what it said of its end is not the truth: it is believed only what fits.
func (g *guest) judge(ctx context.Context, end *reports.Guest, err error) {
	var cannot *vm.CannotError
	switch {
	case ctx.Err() != nil:
		end.Class, end.Words = NoResult, "it was interrupted: "+context.Cause(ctx).Error()
	case errors.As(err, &cannot):
		end.Class, end.Words = NotStarted, cannot.Error()
	case err != nil && end.Class == "":
		end.Class, end.Words = NotStarted, err.Error()
	case err != nil && !end.Bad():
		end.Class, end.Words = NoResult, err.Error()
	case err != nil && end.Words != err.Error(): // what the kernel did stands
		end.Words += "; " + err.Error()
	case end.Bad(), g.account == nil: // it was asked for no cases
	case len(g.lies) > 0:
		end.Class, end.Words = NoResult, "it sent "+strings.Join(g.lies, "; ")
	case g.account.Ended() < g.account.Cases():
		end.Class = NoResult
		end.Words = fmt.Sprintf("it ended after %d of %d cases without a reason", g.account.Ended(), g.account.Cases())
		if last := lastLine(g.output.String()); last != "" {
			end.Words += "; its last line: " + last
		}
	case g.kernel.Release != "" && g.property(kernelProperty) != g.kernel.Release:
		end.Class = NoResult
		end.Words = fmt.Sprintf("its kernel says that it is %.64q, not %s", g.property(kernelProperty), g.kernel.Release)
	}
}

// disagreement is a problem where the harness in the guest failed and no case says why, or the reverse.
func (g *guest) disagreement(p *Played) []string {
	var c reports.Counts
	for i := range p.Suites {
		c.Add(p.Suites[i].Count())
	}
	switch {
	case p.Guest.Class == reports.GuestPassed && c.Bad() > 0:
		p.Guest.Class = reports.GuestFailed
	case p.Guest.Class == reports.GuestFailed && c.Bad() == 0 && len(p.Problems) == 0:
		text := p.Guest.Name + ": every case passed, but the harness in the guest failed"
		if p.Guest.Words != "" {
			text += ": " + p.Guest.Words
		}
		if last := lastLine(p.Output); last != "" {
			text += "; its last line: " + last
		}
		return []string{text}
	}
	return nil
}

func lastLine(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return lines[len(lines)-1]
}

// mostProperties limits how many properties a guest has.
const mostProperties = 32

// properties are those of the kernel and those that the guest reports, which come second.
func (g *guest) properties(end *vm.End) []reports.Property {
	all := []reports.Property{}
	add := func(name, value string) {
		if value != "" && !slices.ContainsFunc(all, func(p reports.Property) bool { return p.Name == name }) {
			all = append(all, reports.Property{Name: name, Value: untrusted.Cut(untrusted.Shown(value), 256)})
		}
	}
	add(kernelProperty, cmp.Or(g.kernel.Release, g.property(kernelProperty)))
	add(packageProperty, g.kernel.Package)
	add(versionProperty, g.kernel.Version)
	add(clockProperty, g.clock)
	for _, p := range g.without {
		add(p.Name, p.Value)
	}
	if end.Ready != nil {
		add(lackingProperty, strings.Join(end.Ready.Lacking, "; "))
	}
	add(taintProperty, end.TaintBefore())
	add(warnedProperty, strings.Join(end.BootWarnings(), "; "))
	if g.own != nil {
		for _, p := range g.own.Properties[:min(len(g.own.Properties), mostProperties)] {
			add(untrusted.Cut(untrusted.Shown(p.Name), 64), p.Value)
		}
	}
	return all
}

// property is a property that the guest reports, "" if it reports none of this name.
func (g *guest) property(name string) string {
	if g.own != nil {
		for _, p := range g.own.Properties {
			if p.Name == name {
				return p.Value
			}
		}
	}
	return ""
}

// Folder is the folder for the evidence of a guest in that of a run's reports.
func Folder(output string, row matrix.Row) string { return filepath.Join(output, row.Name()) }
