// Package repair chooses what mends a network: which gateway, which address, which link. A choice is tried before it is
// taken, by trials that its caller makes. It imports state, topology, routing and what they import; the faults and the
// diagnosis import it. It never says what is wrong.
package repair

import (
	"netnscheck/harness/diagnose/finding"
	"netnscheck/harness/diagnose/topology"
)

// Trials walk the packet again through a copy of the state with changes.
type Trials interface {
	// Fixes reports whether the packet and its reply get through then.
	Fixes(...finding.Change) bool
	// Improves reports whether the packet gets further then: through, or at least over more hops.
	Improves(...finding.Change) bool
}

// Mender chooses a repair by trials. In a trial, where tries is nil, it chooses none.
type Mender struct {
	*topology.Map
	Tries Trials
}

func (m Mender) fixes(changes ...finding.Change) bool {
	return m.Tries != nil && m.Tries.Fixes(changes...)
}

func (m Mender) improves(changes ...finding.Change) bool {
	return m.Tries != nil && m.Tries.Improves(changes...)
}

func unproven(...finding.Change) bool { return true }
