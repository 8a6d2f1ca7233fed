package fault

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"slices"

	"netnscheck/harness/diagnose"
	"netnscheck/harness/diagnose/causes"
	"netnscheck/harness/scenario"
	"netnscheck/harness/state"
)

// Options choose faults.
type Options struct {
	// Faults is how many, from 1 to Most; 0 means 1.
	Faults int
	// Level is that of the faults, from 1 to Levels; 0 means any.
	Level int
	// Seed is any text: a number, a word, the name of a learner. The same seed chooses the same faults of the same
	// network, on every machine that can have them.
	Seed string
}

// Check reports what is wrong with the options.
func (o Options) Check() error {
	switch {
	case o.Faults < 0 || o.Faults > Most:
		return fmt.Errorf("put in %d faults: there can be 1 to %d at a time", o.Faults, Most)
	case o.Level < 0 || o.Level > Levels:
		return fmt.Errorf("put in faults of level %d: the levels are 1 to %d", o.Level, Levels)
	}
	return nil
}

// An ImpossibleError says why no such faults can be put into a network.
type ImpossibleError struct{ Why string }

func (e *ImpossibleError) Error() string { return e.Why }

func impossible(format string, args ...any) error {
	return &ImpossibleError{fmt.Sprintf(format, args...)}
}

// Choose chooses faults that can be put in together, in the order in which they are: none of them repairs or hides
// another one, whichever of them are mended first. The error is an *ImpossibleError if the network has no such faults.
func Choose(finished *state.State, goals []scenario.Check, o Options) ([]Fault, error) {
	if err := o.Check(); err != nil {
		return nil, err
	}
	asked := queries(finished, goals)
	if len(asked) == 0 {
		return nil, impossible("put in a fault: no check that holds at the end says that something is reached, " +
			"so nothing would show it")
	}
	wanted := max(o.Faults, 1)
	normal := finished.Normal()
	var chosen team
	kinds := drawn(candidates(finished, asked), o)
	for len(kinds) > 0 && len(chosen) < wanted {
		for i := 0; i < len(kinds) && len(chosen) < wanted; i++ {
			for found := false; !found && len(kinds[i]) > 0; kinds[i] = kinds[i][1:] {
				f, ok := kinds[i][0].fault(finished, normal, asked)
				if found = ok && o.draws(f, finished); found {
					chosen = chosen.with(f, finished, asked)
				}
			}
		}
		kinds = slices.DeleteFunc(kinds, func(left []candidate) bool { return len(left) == 0 })
	}
	switch {
	case len(chosen) == 0:
		return nil, impossible("put in a fault%s: none is known for this network", ofLevel(o.Level))
	case len(chosen) < wanted:
		return nil, impossible("put in %d faults%s: only %d of those of this network go together", wanted,
			ofLevel(o.Level), len(chosen))
	}
	return chosen.faults(), nil
}

func ofLevel(level int) string {
	if level == 0 {
		return ""
	}
	return fmt.Sprintf(" of level %d", level)
}

// drawn are the candidates of a level by their kinds, in an order by the seed. One fault of each kind is tried before a
// second one of any, so that each kind is as likely as any other, however many places there are for it, and however
// many of them are none. Each candidate has its rank by itself: where one cannot be, because the kernel lacks a
// setting, the order of the others is the same.
func drawn(all []candidate, o Options) (groups [][]candidate) {
	byKind := map[causes.Cause][]candidate{}
	var kinds []causes.Cause
	for _, c := range all {
		if o.Level != 0 && c.level != o.Level {
			continue
		}
		kind := c.causes[0]
		if byKind[kind] == nil {
			kinds = append(kinds, kind)
		}
		byKind[kind] = append(byKind[kind], c)
	}
	sortByRank(kinds, o.Seed, causes.Cause.String)
	for _, kind := range kinds {
		sortByRank(byKind[kind], o.Seed, func(c candidate) string { return c.title })
		groups = append(groups, byKind[kind])
	}
	return groups
}

// sortByRank sorts things by a hash of the seed and their names.
func sortByRank[T any](all []T, seed string, name func(T) string) {
	ranks := make(map[string][sha256.Size]byte, len(all))
	for _, one := range all {
		ranks[name(one)] = sha256.Sum256([]byte(seed + "\x00" + name(one)))
	}
	slices.SortStableFunc(all, func(a, b T) int {
		x, y := ranks[name(a)], ranks[name(b)]
		return bytes.Compare(x[:], y[:])
	})
}

// draws reports whether a fault may be chosen. One that takes a program which the network does not need so far is left
// to the highest level: not every machine has it.
func (o Options) draws(f Fault, finished *state.State) bool {
	return len(f.Programs) == 0 || o.Level == Levels ||
		slices.ContainsFunc(finished.Namespaces, func(n state.Namespace) bool { return len(n.Filters) > 0 })
}

// team are faults that are put in together.
type team []member

type member struct {
	Fault
	breaks []diagnose.Query // by itself
}

func (t team) faults() (all []Fault) {
	for _, m := range t {
		all = append(all, m.Fault)
	}
	return all
}

// with is the team with one more fault, if that goes together with the others. They have to concern different parts of
// the state, so that each can be mended alone. And whichever of the others are there, all that each of them breaks
// alone is broken, and the diagnosis names causes of those that are there.
func (t team) with(f Fault, finished *state.State, asked []diagnose.Query) team {
	for _, other := range t {
		for part := range other.touched {
			if f.touched[part] {
				return t
			}
		}
	}
	b := newBench(finished)
	f.does(b)
	broken, _ := examine(b.State, asked)
	for which := range 1 << len(t) {
		b := newBench(finished)
		names, affected := slices.Clone(f.Names), slices.Clone(broken)
		for i, other := range t {
			if which&(1<<i) != 0 {
				other.does(b)
				names, affected = append(names, other.Names...), append(affected, other.breaks...)
			}
		}
		f.does(b)
		now, told := examine(b.State, asked)
		if b.unsure || slices.ContainsFunc(affected, func(q diagnose.Query) bool { return !slices.Contains(now, q) }) ||
			slices.ContainsFunc(told, func(c causes.Cause) bool { return !slices.Contains(names, c) }) {
			return t
		}
	}
	return append(t, member{f, broken})
}
