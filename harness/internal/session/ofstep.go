package session

import (
	"cmp"
	"path"
	"slices"
	"strings"

	"netnscheck/harness/scenario"
	"netnscheck/harness/scenario/operation"
	"netnscheck/harness/scenario/started"
	"netnscheck/harness/sitting/page"
	"netnscheck/harness/sitting/progress"
)

// ran is a line that a learner ran.
type ran struct {
	netns  string // of the shell that he had entered; "" is the host
	line   string
	status int
	// nothing is set if it did nothing, as far as is known: an empty line, or, in a shell that does not tell its lines,
	// the command lab. If the network has changed it did more, unless it is known to be empty.
	nothing, empty bool
}

// onlyLooks reports whether nothing that the line runs changes anything.
func (r ran) onlyLooks() bool {
	all, complete := started.Commands(r.line)
	return complete && len(all) > 0 && !slices.ContainsFunc(all, func(one started.Command) bool {
		_, left := operation.Enter(one.Argv)
		c, err := operation.Parse(left)
		return err != nil || !onlyLooks(c.Op)
	})
}

// said is a command however it is spelled.
type said struct {
	// exactly is the same for commands that mean the same, at for those that look at the same.
	exactly, at string
}

// saidBy are the commands that a line of a shell runs, as far as its words tell.
func saidBy(netns, line string) (all []said) {
	const longest = 4096 // in bytes; nobody types more
	if len(line) > longest {
		return nil
	}
	found, _ := started.Commands(line)
	for _, one := range found {
		all = append(all, meant(cmp.Or(one.Netns, netns), one.Argv))
	}
	return all
}

// meant is what a command means that runs in a namespace.
func meant(netns string, argv []string) said {
	entered, left := operation.Enter(argv)
	netns = cmp.Or(entered, netns)
	words := strings.Join(left, " ")
	s := said{words, words}
	if len(left) > 0 {
		first := slices.IndexFunc(left[1:], func(word string) bool { return !strings.HasPrefix(word, "-") })
		s.at = path.Base(left[0])
		if first >= 0 {
			s.at += " " + left[1+first]
		}
	}
	if c, err := operation.Parse(left); err == nil {
		switch op := c.Op.(type) {
		case operation.Run:
		case operation.Ping:
			s.exactly = strings.Join(c.Argv(), " ")
			op.Family, op.Count, op.Deadline, op.Timeout, op.Interval = operation.FamilyAny, 0, 0, 0, 0
			op.Numeric, op.Quiet = false, false
			s.at = strings.Join(operation.Command{Op: op}.Argv(), " ")
		case operation.Show:
			s.exactly = strings.Join(c.Argv(), " ")
			s.at = op.Object
			if op.Object == "route" && op.Verb == "get" {
				s.at = s.exactly
			}
		default:
			s.exactly = strings.Join(c.Argv(), " ")
			s.at = s.exactly
		}
	}
	return said{netns + ": " + s.exactly, netns + ": " + s.at}
}

// of is what a command of a scenario runs, each with its meaning.
func of(cmd scenario.Command) []said {
	if all := saidBy("", cmd.Text); len(all) > 0 {
		return all
	}
	return []said{meant("", cmd.Argv)}
}

// isOf reports whether a line runs one of a step's own commands, perhaps in another spelling.
func isOf(step *scenario.Step, r ran) bool { return runs(r, step.Blocks) }

func runs(r ran, blocks []scenario.Block) bool {
	line := saidBy(r.netns, r.line)
	for _, b := range blocks {
		for _, cmd := range b.Commands {
			for _, one := range of(cmd) {
				if slices.ContainsFunc(line, func(s said) bool { return s.exactly == one.exactly }) {
					return true
				}
			}
		}
	}
	return false
}

// ofMistake reports whether a line runs what a mistake at a step, or its repair, runs.
func ofMistake(step *scenario.Step, r ran) bool {
	return slices.ContainsFunc(step.Mistakes, func(m scenario.Mistake) bool {
		return runs(r, m.Blocks) || runs(r, m.Fix)
	})
}

// belongs is the index of the step to which a line belongs: step i, or, as long as those before it only look, a later
// one whose own command it is; -1 if it is that of none.
func belongs(sc *scenario.Scenario, i int, shown page.Shown, r ran) int {
	for at := i; at < len(sc.Steps); at++ {
		only := sc.Steps[at].OnlyLooks()
		if isOf(&sc.Steps[at], r) || at == i && only && lookAt(sc, at, shown).has(r) {
			return at
		}
		if !only {
			break
		}
	}
	return -1
}

// looking is what a learner has still to run of a step that only looks.
type looking struct {
	step int
	left []look
}

// look is a command with which the page looks at something.
type look struct {
	said
	refused bool
}

// lookAt is what there is to look at in a step: the commands that are shown. A challenge hides them.
func lookAt(sc *scenario.Scenario, step int, shown page.Shown) *looking {
	k := &looking{step: step}
	for _, b := range sc.Steps[step].Blocks {
		if sc.Kind == scenario.Challenge || !shown(b) {
			continue
		}
		for _, cmd := range b.Commands {
			for _, one := range of(cmd) {
				k.left = append(k.left, look{one, cmd.Status.Refusal()})
			}
		}
	}
	return k
}

// lookedBefore takes in what the learner has already looked at in the current step, the last time.
func (d *desk) lookedBefore(all []progress.Entry) {
	d.mu.Lock()
	defer d.mu.Unlock()
	i := d.sitting.Step()
	if d.sitting.Done() || !d.sitting.OnlyLooks() {
		return
	}
	d.looking = lookAt(d.sc, i, d.shown)
	for _, e := range all {
		if e.Step == i+1 && e.Do == "" && e.Line != "" && !e.Cut {
			d.looking.takes(ran{netns: e.Netns, line: e.Line, status: e.Status})
		}
	}
}

// has reports whether a line runs something of what is left.
func (k *looking) has(r ran) bool {
	return slices.ContainsFunc(saidBy(r.netns, r.line), func(s said) bool { return k.find(s, r) >= 0 })
}

// takes takes a line, and reports whether nothing is left: all has been run, or what looks at the same. A plain sh does
// not tell its lines; any may have looked.
func (k *looking) takes(r ran) bool {
	if r.line == "" {
		return true
	}
	for _, s := range saidBy(r.netns, r.line) {
		if i := k.find(s, r); i >= 0 {
			k.left = slices.Delete(k.left, i, i+1)
		}
	}
	return len(k.left) == 0
}

// find is the index of what a command looks at, -1 if nothing of that is left.
func (k *looking) find(s said, r ran) int {
	as := func(same func(look) bool) int {
		return slices.IndexFunc(k.left, func(l look) bool { return l.refused == (r.status != 0) && same(l) })
	}
	if i := as(func(l look) bool { return l.exactly == s.exactly }); i >= 0 {
		return i
	}
	return as(func(l look) bool { return l.at == s.at })
}

// asksTheLab reports whether a command line is the command lab, which does nothing to the network.
func asksTheLab(line string) bool {
	argv, err := scenario.Words(line)
	return err == nil && len(argv) > 0 && argv[0] == "lab"
}
