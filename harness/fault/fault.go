// Package fault puts faults into a finished network: which there can be, from the causes that the diagnosis knows;
// which of them a seed chooses; how each is mended; and what has to be true once all are. It is pure: anybody may
// import it, and it never touches the kernel. A lab carries its operations out (lab.Challenge).
//
// Nothing is a fault because a table says so. Each is carried out on a copy of the state, and is one only if something
// that the finished network does is broken then, the diagnosis names the cause that was meant, and operations are known
// that lead back.
package fault

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"

	"netnscheck/harness/claim"
	"netnscheck/harness/diagnose"
	"netnscheck/harness/diagnose/causes"
	"netnscheck/harness/scenario"
	"netnscheck/harness/scenario/operation"
	"netnscheck/harness/state"
)

// Fault is one fault of a finished network.
type Fault struct {
	// Name is what the diagnosis says of it first. Names are all causes that it names for what the fault breaks: a link
	// that is down is link-down to its own namespace, and peer-down to the one at the other end.
	Name  causes.Cause
	Names []causes.Cause
	// Title is what is wrong, in one line of Markdown.
	Title string
	// Netns is the namespace where it is, Level how hard it is to see: 1 in the lists of links and addresses, 2 by
	// comparing them, or in those of routes and settings; 3 where one has to know what to look for.
	Netns string
	Level int
	// Break makes the fault in the finished network, Mend leads from there back to the normal form of what it was.
	Break, Mend []operation.Command

	does    func(*bench)
	touched map[string]bool
}

// Levels is the highest level.
const Levels = 3

// Most is the greatest number of faults that Choose combines.
const Most = 5

// candidate is something to break, before it is known whether that would be a fault.
type candidate struct {
	netns, title string
	level        int
	// causes are those of which the diagnosis has to name one.
	causes []causes.Cause
	does   func(*bench)
}

// Possible are the faults that a finished network can have, in a fixed order. Goals are what holds in it.
func Possible(finished *state.State, goals []scenario.Check) []Fault {
	asked := queries(finished, goals)
	if len(asked) == 0 {
		return nil
	}
	normal := finished.Normal()
	var found []Fault
	for _, c := range candidates(finished, asked) {
		f, ok := c.fault(finished, normal, asked)
		if ok && !slices.ContainsFunc(found, func(other Fault) bool {
			return reflect.DeepEqual(f.Break, other.Break)
		}) {
			found = append(found, f)
		}
	}
	return found
}

// fault carries a candidate out. It is a fault if what is asked is broken, the diagnosis names one of its causes, and
// it can be mended.
func (c candidate) fault(finished, normal *state.State, asked []diagnose.Query) (Fault, bool) {
	b := newBench(finished)
	c.does(b)
	if b.unsure {
		return Fault{}, false
	}
	f := Fault{Title: c.title, Netns: c.netns, Level: c.level, Names: named(b.State, asked), Break: b.done,
		does:    c.does,
		touched: b.touched}
	for _, name := range f.Names {
		if slices.Contains(c.causes, name) && f.Name == 0 {
			f.Name = name
		}
	}
	if f.Name == 0 {
		return Fault{}, false
	}
	var ok bool
	f.Mend, ok = restore(b.State, finished, normal)
	return f, ok
}

// queries are the questions to the diagnosis that the goals are about: what reaches what. Those that the diagnosis does
// not call sound in the finished network are left out.
func queries(finished *state.State, goals []scenario.Check) (all []diagnose.Query) {
	for _, g := range goals {
		if q, ok := queryOf(g.Claim); ok && !slices.Contains(all, q) && sound(finished, q) {
			all = append(all, q)
		}
	}
	return all
}

func queryOf(c claim.Claim) (diagnose.Query, bool) {
	if asks, ok := c.(interface{ Unreached() (diagnose.Query, bool) }); ok {
		return asks.Unreached()
	}
	return diagnose.Query{}, false
}

func sound(s *state.State, q diagnose.Query) bool {
	r := diagnose.Diagnose(s, q)
	return r.Cause == nil && len(r.Path) > 0
}

// named are the causes that the diagnosis names for the queries, each once, in their order.
func named(s *state.State, queries []diagnose.Query) (names []causes.Cause) {
	for _, q := range queries {
		if c := diagnose.Diagnose(s, q).Cause; c != nil && !slices.Contains(names, c.Name) {
			names = append(names, c.Name)
		}
	}
	return names
}

// Options choose faults.
type Options struct {
	// Faults is how many, from 1 to Most; 0 means 1.
	Faults int
	// Level is that of the faults, from 1 to Levels; 0 means any.
	Level int
	// Seed is any text: a number, a word, the name of a learner. The same seed chooses the same faults of the same
	// network.
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

// Choose chooses faults that can be put in together, in the order in which they are: none of them repairs or hides
// another one, whichever of them are mended first.
func Choose(possible []Fault, finished *state.State, goals []scenario.Check, o Options) ([]Fault, error) {
	if err := o.Check(); err != nil {
		return nil, err
	}
	wanted := max(o.Faults, 1)
	asked := queries(finished, goals)
	var chosen []Fault
	for _, f := range shuffled(possible, o) {
		if len(chosen) == wanted {
			break
		}
		if together(finished, asked, chosen, f) {
			chosen = append(chosen, f)
		}
	}
	switch {
	case len(asked) == 0:
		return nil, errors.New("put in a fault: no check that holds at the end says that something is reached, " +
			"so nothing would show it")
	case len(possible) == 0:
		return nil, fmt.Errorf("put in a fault: none is known for this network")
	case len(chosen) == 0:
		return nil, fmt.Errorf("put in a fault of level %d: none is known for this network", o.Level)
	case len(chosen) < wanted:
		return nil, fmt.Errorf("put in %d faults%s: only %d of those of this network go together", wanted,
			ofLevel(o.Level),
			len(chosen))
	}
	return chosen, nil
}

func ofLevel(level int) string {
	if level == 0 {
		return ""
	}
	return fmt.Sprintf(" of level %d", level)
}

// shuffled are the faults of a level in an order by the seed: first one of each cause, so that each cause is as likely
// as any other, however many places there are for it.
func shuffled(possible []Fault, o Options) []Fault {
	rng := rand.New(rand.NewChaCha8(sha256.Sum256([]byte(o.Seed))))
	byCause := map[causes.Cause][]Fault{}
	var names []causes.Cause
	for _, f := range possible {
		if o.Level != 0 && f.Level != o.Level {
			continue
		}
		if byCause[f.Name] == nil {
			names = append(names, f.Name)
		}
		byCause[f.Name] = append(byCause[f.Name], f)
	}
	rng.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
	var all []Fault
	for _, name := range names {
		group := byCause[name]
		rng.Shuffle(len(group), func(i, j int) { group[i], group[j] = group[j], group[i] })
	}
	for i := range possible {
		for _, name := range names {
			if i < len(byCause[name]) {
				all = append(all, byCause[name][i])
			}
		}
	}
	return all
}

// together reports whether a fault can be put in together with others. They concern different parts of the state, so
// that each can be mended alone. And whichever of the others are there, all that each of them breaks alone is broken,
// and the diagnosis names causes of those that are there.
func together(finished *state.State, asked []diagnose.Query, others []Fault, f Fault) bool {
	for _, other := range others {
		for part := range other.touched {
			if f.touched[part] {
				return false
			}
		}
	}
	alone := func(f Fault) []diagnose.Query {
		b := newBench(finished)
		f.does(b)
		return broken(b.State, asked)
	}
	for which := range 1 << len(others) {
		b := newBench(finished)
		names, affected := slices.Clone(f.Names), alone(f)
		for i, other := range others {
			if which&(1<<i) != 0 {
				other.does(b)
				names, affected = append(names, other.Names...), append(affected, alone(other)...)
			}
		}
		f.does(b)
		if b.unsure || slices.ContainsFunc(affected, func(q diagnose.Query) bool { return sound(b.State, q) }) ||
			slices.ContainsFunc(named(b.State, asked), func(c causes.Cause) bool {
				return !slices.Contains(names, c)
			}) {
			return false
		}
	}
	return true
}

// broken are the queries for which the diagnosis names a cause.
func broken(s *state.State, asked []diagnose.Query) []diagnose.Query {
	return slices.DeleteFunc(slices.Clone(asked), func(q diagnose.Query) bool { return sound(s, q) })
}
