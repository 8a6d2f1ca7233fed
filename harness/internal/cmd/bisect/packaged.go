package bisect

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"netnscheck/harness/internal/cmd/guests"
	"netnscheck/harness/internal/cmd/play"
	"netnscheck/harness/internal/cmd/status"
	"netnscheck/harness/internal/vm/halve"
	"netnscheck/harness/internal/vm/kernels"
	"netnscheck/harness/internal/vm/matrix"
	"netnscheck/harness/term"
)

// packaged looks for the first bad kernel among those of Debian between two.
func (o *options) packaged(ctx context.Context, w *work) error {
	rig, err := guests.Open(o.guests, o.remark)
	if err != nil {
		return err
	}
	defer rig.Close()
	if err := rig.Ready(ctx, []matrix.Row{{Kernel: o.good}, {Kernel: o.bad}}); err != nil {
		return err
	}
	row, err := o.between(ctx, rig)
	if err != nil {
		return err
	}
	s := &search{options: o, rig: rig, work: w, row: row, looks: make([]look, len(row)), untried: map[int]bool{}}
	return s.run(ctx)
}

// between are the kernels from the good one to the bad one, of the same flavour, from the oldest to the newest.
func (o *options) between(ctx context.Context, rig *guests.Rig) ([]kernels.Packaged, error) {
	all, err := rig.Available(ctx)
	if err != nil {
		return nil, err
	}
	at := func(flag, name string) (int, error) {
		k, err := rig.Find(ctx, name)
		if err != nil {
			return 0, err
		}
		i := slices.IndexFunc(all, func(p kernels.Packaged) bool { return p.Release == k.Release && p.Version == k.Version })
		if i < 0 {
			return 0, status.Usagef("--%s %s: it is no packaged kernel; for others there is `git bisect run`", flag, name)
		}
		return i, nil
	}
	good, err := at("good", o.good)
	if err != nil {
		return nil, err
	}
	bad, err := at("bad", o.bad)
	switch {
	case err != nil:
		return nil, err
	case good == bad:
		return nil, status.Usagef("--good %s and --bad %s are the same kernel, %s", o.good, o.bad, all[good].Release)
	case good > bad:
		return nil, status.Usagef("--good %s (%s) is newer than --bad %s (%s): the change is looked for forwards", o.good,
			all[good].Version, o.bad, all[bad].Version)
	case all[good].Flavour != all[bad].Flavour:
		return nil, status.Usagef("--good %s and --bad %s are of different flavours", o.good, o.bad)
	}
	row := distinct(slices.DeleteFunc(slices.Clone(all[good:bad+1]), func(p kernels.Packaged) bool {
		return p.Flavour != all[good].Flavour
	}))
	if len(row) < 2 {
		return nil, status.Usagef("--good %s and --bad %s are versions of one release, %s, "+
			"of which the newest alone can be booted", o.good, o.bad, all[good].Release)
	}
	return row, nil
}

// distinct leaves the last of each release in a row from the oldest to the newest: a kernel is booted by its release,
// which means the newest version of it.
func distinct(row []kernels.Packaged) (last []kernels.Packaged) {
	for i, p := range row {
		if !slices.ContainsFunc(row[i+1:], func(later kernels.Packaged) bool { return later.Release == p.Release }) {
			last = append(last, p)
		}
	}
	return last
}

// search is a search in progress.
type search struct {
	*options
	rig     *guests.Rig
	work    *work
	row     []kernels.Packaged
	looks   []look
	targets []string // the cases that are good on the good kernel and bad on the bad one
	// The archive has lost the modules of some kernels. When nothing could be played on one of them, mute, the others
	// are not tried.
	mute    *kernels.Packaged
	untried map[int]bool
}

// doubtful tells whether a kernel has lost its modules, so that little can be played on it.
func (s *search) doubtful(i int) bool { return s.row[i].Lacks != "" }

// doubts counts the doubtful kernels.
func (s *search) doubts() (n int) {
	for i := range s.row {
		if s.doubtful(i) {
			n++
		}
	}
	return n
}

func (s *search) run(ctx context.Context) error {
	last := len(s.row) - 1
	s.say("%s between %s and %s", term.Count(last-1, "kernel"), title(s.row[0]), title(s.row[last]))
	if err := s.ends(ctx); err != nil {
		return err
	}
	s.say("about %d more to try", halve.Looks(len(s.row)-s.doubts()))
	f, err := halve.Search(len(s.row), s.doubtful, func(i int) (halve.Verdict, error) {
		if s.mute != nil && s.doubtful(i) {
			s.untried[i] = true
			return halve.Untold, nil
		}
		var err error
		if s.looks[i], err = s.boot(ctx, s.rig, s.row[i].Release, s.work); err != nil {
			return halve.Untold, fmt.Errorf("judge %s: %w", s.row[i].Release, err)
		}
		v, why := s.looks[i].judge(s.targets)
		s.verdict(v, i, why)
		if s.doubtful(i) && s.looks[i].nothingPlayed() {
			s.mute = &s.row[i]
		}
		return v, nil
	})
	if err != nil {
		return failure(ctx, err)
	}
	return s.tell(f)
}

// failure is the error of a look: the search was interrupted, or this machine is at fault.
func failure(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return status.With(status.Cut, err)
	}
	return status.With(status.Cannot, err)
}

// ends tries both ends, and finds the cases in which they differ: a search between ends that are not good and bad would
// name a kernel all the same.
func (s *search) ends(ctx context.Context) error {
	last := len(s.row) - 1
	for _, i := range []int{0, last} {
		if err := s.end(ctx, i); err != nil {
			return err
		}
	}
	if s.differ(); len(s.targets) == 0 && s.looks[0].good() > 0 {
		taken, err := s.takeFeatures(ctx)
		if err != nil {
			return err
		}
		if taken { // on the good kernel the blocks are those that it has played
			if err := s.end(ctx, last); err != nil {
				return err
			}
			s.differ()
		}
	}
	good, bad := &s.looks[0], &s.looks[last]
	if len(s.targets) == 0 {
		_, whyGood := good.alone()
		_, whyBad := bad.alone()
		return status.Usagef("try the ends: nothing is good on %s and bad on %s\n  %s: %s\n  %s: %s", title(s.row[0]),
			title(s.row[last]), s.row[0].Release, term.OneLine(whyGood), s.row[last].Release, term.OneLine(whyBad))
	}
	s.verdict(halve.Good, 0, term.Count(len(s.targets), "case")+" of those that the other fails")
	s.verdict(halve.Bad, last, s.targets[0]+": "+bad.why[s.targets[0]])
	return nil
}

// end tries one of the ends.
func (s *search) end(ctx context.Context, i int) (err error) {
	if s.looks[i], err = s.boot(ctx, s.rig, s.row[i].Release, s.work); err != nil {
		return failure(ctx, fmt.Errorf("judge %s: %w", s.row[i].Release, err))
	}
	if end := s.looks[i].end; end != "" {
		return status.Cannotf("try %s: %s", title(s.row[i]), end)
	}
	return nil
}

// differ finds the cases that are good on the good end and bad on the bad one.
func (s *search) differ() {
	good, bad := &s.looks[0], &s.looks[len(s.looks)-1]
	for _, name := range good.names {
		if good.says[name] == halve.Good && bad.says[name] == halve.Bad {
			s.targets = append(s.targets, name)
		}
	}
}

// say prints a line, wrapped on a terminal.
func (s *search) say(format string, args ...any) {
	s.screen.Sheet().Line("", term.OneLine(fmt.Sprintf(format, args...)))
}

// verdict prints the verdict on a kernel.
func (s *search) verdict(v halve.Verdict, i int, why string) {
	word := map[halve.Verdict]string{halve.Good: "good", halve.Bad: "bad", halve.Untold: "cannot be told"}[v]
	sheet := s.screen.Sheet()
	sheet.Line("", fmt.Sprintf("%s: %s: %s", title(s.row[i]), word, term.OneLine(why)))
}

// title names a kernel with its package's version.
func title(p kernels.Packaged) string { return fmt.Sprintf("%s (%s)", p.Release, p.Version) }

// tell prints what was found. Where kernels in between did not tell, the change is in one of several.
func (s *search) tell(f halve.Found) error {
	good, bad := s.row[f.Good], s.row[f.Bad]
	fmt.Fprintln(s.screen.Out)
	s.say("last good kernel:  %s", title(good))
	var untried []string
	for _, i := range f.Between {
		if s.untried[i] {
			untried = append(untried, s.row[i].Release)
			continue
		}
		s.say("cannot be told:    %s", title(s.row[i]))
	}
	if len(untried) > 0 {
		s.say("not tried:         %s (their modules are gone from the archive, and nothing could be played on %s without)",
			strings.Join(untried, ", "), s.mute.Release)
	}
	s.say("first bad kernel:  %s", title(bad))
	if len(s.choice.Taken) > 0 {
		s.say("blocks on all:     %s", play.TakenWords(s.choice.Taken))
	}
	if len(f.Between) > 0 {
		s.say("The change is in the first bad kernel or in one of those between.")
	}
	var changed []string
	for _, name := range s.targets {
		if s.looks[f.Bad].says[name] == halve.Bad {
			changed = append(changed, name)
		}
	}
	fmt.Fprintln(s.screen.Out)
	s.say("What changed, of %s:", term.Count(len(s.targets), "case"))
	sheet := s.screen.Sheet()
	for _, name := range changed {
		sheet.Line("  ", term.OneLine(name+": "+s.looks[f.Bad].why[name]))
	}
	return sheet.Err()
}
