package fault

import (
	"reflect"
	"slices"

	"netnscheck/harness/scenario"
	"netnscheck/harness/scenario/operation"
	"netnscheck/harness/state"
)

// Carried is the state after faults as the bench carries them out.
func Carried(s *state.State, faults ...Fault) *state.State {
	b := newBench(s)
	for _, f := range faults {
		f.does(b)
	}
	return b.State
}

// QueryOf is what a goal asks the diagnosis.
var QueryOf = queryOf

// Queries are what all goals ask the diagnosis, where it has an answer in the finished network.
var Queries = queries

// ChosenMACs is a state in which MAC addresses that are what they were count as chosen by the kernel, if they were.
var ChosenMACs = chosenMACs

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

// Restore returns operations that lead from any state of a network back to the normal form of the finished one,
// whatever was done to it in the meantime; not ok if there are none that are known to do so.
func Restore(now, finished *state.State) (mend []operation.Command, ok bool) {
	return restore(now, finished, finished.Normal())
}

// OnVLANs is a state in which the addresses of the veths are on VLANs that lie on these.
func OnVLANs(s *state.State, id int) *state.State {
	b := newBench(s)
	for _, n := range s.Namespaces {
		for _, l := range n.Links {
			if l.Kind != "veth" {
				continue
			}
			v := state.Link{Index: 100 + l.Index, Name: l.Name + ".10", Kind: "vlan", MAC: l.MAC, MACRandom: true,
				MTU:  l.MTU,
				VLAN: &state.VLAN{ID: id, Protocol: "802.1Q"},
				Peer: &state.LinkRef{Index: l.Index, Netns: n.Name, Name: l.Name}}
			b.Namespace(n.Name).Links = append(b.Namespace(n.Name).Links, v)
			b.setUp(n.Name, v.Name)
			for _, a := range slices.Clone(l.Addresses) {
				if a.Prefix.Addr().Is4() {
					b.deleteAddress(n.Name, l.Name, a)
					b.addAddress(n.Name, v.Name, another(a, a.Prefix, v.Name))
				}
			}
		}
	}
	return b.State
}

// Commands are the operations of a fault as they are typed.
func Commands(all []operation.Command) (lines []string) {
	for _, c := range all {
		lines = append(lines, commandLine(c))
	}
	return lines
}
