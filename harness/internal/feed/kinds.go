package feed

import (
	"golang.org/x/sys/unix"

	"netnscheck/harness/state/changes"
)

// kindOf is the kind of change that a message of rtnetlink reports; 0 for one that concerns no State.
func kindOf(m message) changes.Kinds {
	family := byte(unix.AF_UNSPEC)
	if len(m.body) > 0 {
		family = m.body[0]
	}
	switch m.kind {
	case unix.RTM_NEWLINK, unix.RTM_DELLINK, unix.RTM_NEWVLAN, unix.RTM_DELVLAN:
		return changes.Links
	case unix.RTM_NEWADDR, unix.RTM_DELADDR:
		return changes.Addresses
	case unix.RTM_NEWROUTE, unix.RTM_DELROUTE:
		return changes.Routes
	case unix.RTM_NEWRULE, unix.RTM_DELRULE:
		return changes.Rules
	case unix.RTM_NEWNEIGH, unix.RTM_DELNEIGH:
		if family == unix.AF_BRIDGE {
			return changes.Forwarding
		}
		return changes.Neighbours
	case unix.RTM_NEWMDB, unix.RTM_DELMDB:
		return changes.Forwarding
	case unix.RTM_NEWNEXTHOP, unix.RTM_DELNEXTHOP:
		return changes.Nexthops
	case unix.RTM_NEWNSID, unix.RTM_DELNSID:
		return changes.IDs
	case unix.RTM_NEWNETCONF, unix.RTM_DELNETCONF:
		return changes.Settings
	case unix.RTM_NEWMULTICAST, unix.RTM_DELMULTICAST:
		return changes.Groups
	case unix.RTM_NEWQDISC, unix.RTM_DELQDISC, unix.RTM_NEWTCLASS, unix.RTM_DELTCLASS, unix.RTM_NEWTFILTER,
		unix.RTM_DELTFILTER, unix.RTM_NEWCHAIN, unix.RTM_DELCHAIN:
		return changes.Queueing
	}
	return 0
}
