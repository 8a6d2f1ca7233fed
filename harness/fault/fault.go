// Package fault puts faults into a finished network: which there can be, from the causes that the diagnosis knows;
// which of them a seed chooses; how each is mended; and what has to be true once all are. It is pure: anybody may
// import it, and it never touches the kernel. A lab carries its operations out (lab.Challenge).
//
// Nothing is a fault because a table says so. Each is carried out on a copy of the state, and is one only if something
// that the finished network does is broken then, the diagnosis names the cause that was meant, and operations are known
// that lead back.
package fault

import (
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
	// Lost is what nothing in the broken network shows, such as a route that went with an address; "" if everything is
	// to be seen. The repair of the diagnosis then makes traffic flow if it can, but the network may be another one.
	Lost string
	// Programs are the names of those that it takes to break and mend it by hand, besides ip.
	Programs []string

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
	// last is what is to be done besides once it is mended; nil for nothing.
	last func(*bench)
}

// fault carries a candidate out. It is a fault if what is asked is broken, the diagnosis names one of its causes, and
// it can be mended.
func (c candidate) fault(finished, normal *state.State, asked []diagnose.Query) (Fault, bool) {
	b := newBench(finished)
	c.does(b)
	if b.unsure {
		return Fault{}, false
	}
	_, names := examine(b.State, asked)
	f := Fault{Title: c.title, Netns: c.netns, Level: c.level, Names: names, Break: b.done, does: c.does,
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
	if f.Mend, ok = restore(b.State, finished, normal); ok && c.last != nil {
		end := newBench(finished)
		c.last(end)
		f.Mend = append(f.Mend, end.done...)
	}
	f.Lost, f.Programs = lost(f, b.State, finished, asked), programs(f)
	return f, ok
}

// programs are those that the operations of a fault run, each once.
func programs(f Fault) (all []string) {
	for _, c := range slices.Concat(f.Break, f.Mend) {
		if run, ok := c.Op.(operation.Run); ok && !slices.Contains(all, run.Argv[0]) {
			all = append(all, run.Argv[0])
		}
	}
	return all
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

// examine are the queries for which the diagnosis names a cause, and the causes, each once.
func examine(s *state.State, asked []diagnose.Query) (broken []diagnose.Query, names []causes.Cause) {
	for _, q := range asked {
		if c := diagnose.Diagnose(s, q).Cause; c != nil {
			broken = append(broken, q)
			if !slices.Contains(names, c.Name) {
				names = append(names, c.Name)
			}
		}
	}
	return broken, names
}
