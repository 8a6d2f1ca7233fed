package filter

import (
	"slices"

	"netnscheck/harness/diagnose/facts"
	"netnscheck/harness/state"
)

// byPort judges a condition on the port of a bridge (physdev_mt(), net/netfilter/xt_physdev.c). Only a packet that came
// in by a bridge which calls the filters of IP has one; of such a packet it is not known here.
func byPort(n *state.Namespace, s Seen, m state.FilterMatch) (fits, known bool) {
	if s.Iif != nil && s.Iif.Kind == "bridge" && facts.CallsFilters(n, s.Iif, s.Family()) {
		return false, false
	}
	return m.Not, true
}

// stateOrStatus judges a condition on states of connection tracking that has translations among them.
func (s Seen) stateOrStatus(m state.FilterMatch) (fits, known bool) {
	return slices.ContainsFunc(m.Values, func(word string) bool {
		return word == s.Tracking || slices.Contains(s.Status, word)
	}) != m.Not, true
}
