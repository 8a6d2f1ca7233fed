package effects

import (
	"net/netip"
	"strconv"
	"strings"

	"netnscheck/harness/scenario/operation"
	"netnscheck/harness/state"
)

// operation notes what an operation in a namespace declares.
func (d *declared) operation(netns string, op operation.Operation) {
	netns = named(netns)
	switch op := op.(type) {
	case operation.NetnsAdd:
		d.names[op.Name] = true
	case operation.NetnsDelete:
		d.deleted(op.Name)
	case operation.NetnsDeleteAll:
		for _, n := range d.before.Namespaces {
			if n.Name != state.Host {
				d.deleted(n.Name)
			}
		}
	case operation.NetnsExecAll:
		for _, n := range d.before.Namespaces {
			if each := op.Each; n.Name != state.Host {
				if each.Netns == "" {
					each.Netns = n.Name
				}
				if run, ok := each.Op.(operation.Run); ok {
					d.program(each.Netns, run.Argv)
				} else {
					d.operation(each.Netns, each.Op)
				}
			}
		}
	case operation.LinkAdd:
		d.linkAdd(netns, op)
	case operation.LinkSet:
		d.linkSet(netns, op)
	case operation.LinkProperty:
		at := d.resolve(netns, op.Name)
		d.touch(at).properties["alternative names"] = true
		for _, name := range op.AltNames {
			d.also[place{netns, name}] = at
			// Some kernels take a name away from the link that has it, whichever link was named.
			d.touch(d.resolve(netns, name)).properties["alternative names"] = true
		}
	case operation.LinkDelete:
		t := d.touch(d.resolve(netns, op.Name))
		t.disappears, t.loses = true, true
	case operation.TunChange:
		t := d.touch(place{netns, op.Name})
		t.appears, t.disappears, t.loses = true, true, true
	case operation.AddressChange:
		d.address(netns, op)
	case operation.AddressFlush:
		d.addressFlush(netns, op)
	case operation.RouteChange:
		d.route(netns, op.Route)
	case operation.RouteFlush:
		d.allow(in[state.Route](netns, func(found state.Difference, _ state.Route) bool { return found.After == nil }))
	case operation.RuleChange:
		d.rule(netns, op.Rule)
	case operation.RuleFlush:
		d.allow(in[state.Rule](netns, func(found state.Difference, _ state.Rule) bool { return found.After == nil }))
	case operation.NexthopChange:
		d.nexthop(netns, op)
	case operation.NexthopFlush:
		d.nexthopsGo(netns)
	case operation.NeighbourChange:
		d.allow(in[state.Neighbour](netns, func(_ state.Difference, n state.Neighbour) bool {
			return n.Addr == op.Address.WithZone("") && (op.Dev == "" || n.Dev == d.resolve(netns, op.Dev).link)
		}))
	case operation.NeighbourFlush:
		d.allow(in[state.Neighbour](netns, func(found state.Difference, _ state.Neighbour) bool {
			return found.After == nil
		}))
	case operation.SysctlSet:
		for _, v := range op.Values {
			d.sysctl(netns, v.Key)
		}
	case operation.TokenSet, operation.MulticastChange:
		d.free[netns] = true
	case operation.Batch:
		d.anything = true
	}
}

// deleted notes that a namespace goes, with everything in it; a new one of its name may come.
func (d *declared) deleted(netns string) {
	d.names[netns] = true
	d.allow(func(found state.Difference) bool { return found.Netns == netns && found.After == nil })
	if n := d.before.Namespace(netns); n != nil {
		for _, l := range n.Links {
			t := d.touch(place{netns, l.Name})
			t.disappears, t.loses = true, true
		}
	}
}

// in is a rule for one kind of thing in a namespace.
func in[T any](netns string, fits func(found state.Difference, thing T) bool) func(state.Difference) bool {
	return func(found state.Difference) bool {
		thing, ok := either(found).(T)
		return ok && found.Netns == netns && fits(found, thing)
	}
}

func (d *declared) linkAdd(netns string, op operation.LinkAdd) {
	if op.LinkNetnsID != nil || op.LinkNetns != "" {
		d.anything = true // the other namespace is known by a number
		return
	}
	d.newLink(netns, op.Kind, op.LinkAttributes, op.Master)
	switch {
	case op.Peer != nil:
		d.newLink(netns, op.Kind, *op.Peer, "")
	case op.Kind == "veth":
		d.newLink(netns, op.Kind, operation.LinkAttributes{}, "")
	}
	if op.Kind == "vrf" { // the first one makes the rules of all (vrf_add_fib_rules in drivers/net/vrf.c)
		d.allow(in[state.Rule](netns, func(_ state.Difference, r state.Rule) bool { return r.L3MDev }))
	}
}

// newLink notes a link that is made. Where the kernel chooses the name, any of its kind may be it.
func (d *declared) newLink(netns, kind string, a operation.LinkAttributes, master string) {
	at := netns
	if a.Netns != "" {
		if at = a.Netns; isPID(at) && d.after.Namespace(at) == nil {
			d.anything = true
			return
		}
	}
	var all []place
	if a.Name != "" && !strings.Contains(a.Name, "%") {
		all = append(all, place{at, a.Name})
	} else {
		n := d.after.Namespace(at)
		for i := 0; n != nil && i < len(n.Links); i++ {
			if l := &n.Links[i]; l.Kind == kind && d.before.Namespace(at).Link(l.Name) == nil {
				all = append(all, place{at, l.Name})
			}
		}
	}
	for _, at := range all {
		t := d.touch(at)
		t.appears = true
		t.properties["index"] = true
		for property, written := range map[string]bool{
			"MTU": a.MTU != nil || kind != "veth" && kind != "bridge", "MAC address": true, "alias": a.Alias != nil,
			"group": a.Group != nil, state.Up: a.Up, "master": master != "", "transmit queue length": true,
			"transmit queues": true, "receive queues": true, "link-layer broadcast address": true,
			"GSO maximum size": a.GSOMaxSize != nil, "ARP": true,
		} {
			if written {
				t.properties[property] = true
			}
		}
	}
}

func isPID(name string) bool {
	_, err := strconv.Atoi(name)
	return err == nil
}

func (d *declared) linkSet(netns string, op operation.LinkSet) {
	var all []place
	if op.Name != "" {
		all = append(all, d.resolve(netns, op.Name))
	} else { // of a group, by name or number
		d.each(func(ns string, l *state.Link) {
			if ns == netns {
				all = append(all, place{ns, l.Name})
			}
		})
	}
	for _, at := range all {
		d.setLink(at, op)
	}
}

// setLink notes what is set of one link.
func (d *declared) setLink(at place, op operation.LinkSet) {
	t := d.touch(at)
	for property, written := range map[string]bool{
		state.Up: op.Up != nil, "MTU": op.MTU != nil, "MAC address": op.Address != nil,
		"link-layer broadcast address": op.Broadcast != nil, "master": op.Master != nil,
		"transmit queue length": op.TxQLen != nil, "GSO maximum size": op.GSOMaxSize != nil, "alias": op.Alias != nil,
		"group": op.NewGroup != nil, "ARP": op.ARP != nil, "promiscuous mode": op.Promisc != nil,
		"all-multicast mode": op.AllMulti != nil, "multicast": op.Multicast != nil, "protodown": op.Protodown != nil,
		"mode": op.Mode != nil,
	} {
		if written {
			t.properties[property] = true
		}
	}
	if op.Up != nil || op.MTU != nil || op.Address != nil || op.Master != nil || op.ARP != nil || op.Carrier != nil ||
		op.AddrGenMode != nil || op.Protodown != nil {
		t.loses = true
	}
	if op.Bridge != nil || op.BridgePort != nil || op.Kind != "" {
		// A bridge's settings of VLANs are those of its ports, too, and a mode of ipvlan that of all on the same link.
		d.each(func(netns string, l *state.Link) {
			if netns == at.netns && (l.Name == at.link || l.Master == at.link || op.Kind == "ipvlan" && l.Kind == op.Kind) {
				for _, property := range append(state.BridgeProperties(), "ipvlan mode", "macvlan mode", "vxlan", "vlan") {
					d.touch(place{netns, l.Name}).properties[property] = true
				}
			}
		})
	}
	if op.Master != nil && *op.Master != "" {
		above := d.touch(d.resolve(at.netns, *op.Master))
		for _, property := range []string{"MTU", "MAC address", "GSO maximum size"} {
			above.properties[property] = true
		}
	}
	to := at
	if op.NewName != "" {
		to.link = op.NewName
	}
	if op.Netns != "" {
		if to.netns = op.Netns; isPID(op.Netns) && d.after.Namespace(op.Netns) == nil {
			d.anything = true
			return
		}
	}
	if to == at {
		return
	}
	t.disappears, t.loses = true, true
	moved := d.touch(to)
	moved.appears, moved.loses, moved.properties["index"] = true, true, true
	for property := range t.properties {
		moved.properties[property] = true
	}
	origin := at
	if first, known := d.from[at]; known {
		origin = first
	}
	d.from[to] = origin
	if at.netns == to.netns { // what belongs to it is told by another name
		d.allow(func(found state.Difference) bool {
			for _, name := range devices(either(found)) {
				if found.Netns == at.netns && (name == at.link || name == to.link) {
					return true
				}
			}
			return false
		})
	}
}

func (d *declared) address(netns string, op operation.AddressChange) {
	at := d.resolve(netns, op.Dev)
	t := d.touch(at)
	if op.Verb == operation.Delete {
		t.loses = true
	}
	d.allow(in[state.Address](netns, func(found state.Difference, a state.Address) bool {
		if found.Link != at.link {
			return false
		}
		// Others of the same network become first or second to it, and go with the first one.
		return a.Prefix.Addr() == op.Prefix.Addr() || op.Anycast.IsValid() ||
			sameNet(a.Prefix, op.Prefix) && (found.Property == "flags" || op.Verb == operation.Delete)
	}))
	d.allow(in[state.Route](netns, func(found state.Difference, r state.Route) bool {
		return op.Verb == operation.Delete && found.After == nil && r.Src == op.Prefix.Addr()
	}))
}

func (d *declared) addressFlush(netns string, op operation.AddressFlush) {
	dev := ""
	if op.Dev != "" {
		dev = d.resolve(netns, op.Dev).link
	}
	d.each(func(ns string, l *state.Link) {
		if ns == netns && (dev == "" || l.Name == dev) {
			d.touch(place{ns, l.Name}).loses = true
		}
	})
	d.allow(in[state.Address](netns, func(found state.Difference, _ state.Address) bool {
		return found.After == nil && (dev == "" || found.Link == dev)
	}))
	d.allow(in[state.Route](netns, func(found state.Difference, r state.Route) bool {
		return found.After == nil && r.Src.IsValid()
	}))
}

// route notes a change of a route: of all routes to its destination.
func (d *declared) route(netns string, op operation.Route) {
	table, known := state.TableID(op.Table)
	d.allow(in[state.Route](netns, func(found state.Difference, r state.Route) bool {
		switch {
		case known && r.Table != table, !op.To.IsValid() && !op.Default && r.To.Bits() != 0:
			return false
		case !op.To.IsValid():
			return r.To.Bits() == 0
		}
		return r.To == op.To.Masked()
	}))
}

// rule notes a change of a policy rule: of those that have everything that is written.
func (d *declared) rule(netns string, op operation.Rule) {
	table, named := state.TableID(op.Table)
	d.allow(in[state.Rule](netns, func(_ state.Difference, r state.Rule) bool {
		prefix := func(written, has netip.Prefix) bool {
			return !written.IsValid() || written.Masked() == has.Masked() || written.Bits() == 0 && !has.IsValid()
		}
		return (op.Priority == nil || *op.Priority == r.Priority) && (!named || table == r.Table || r.Table == 0) &&
			prefix(op.From, r.From) && prefix(op.To, r.To)
	}))
}

// nexthop notes a change of a nexthop object, of the groups that it is in and of the routes that go with it.
func (d *declared) nexthop(netns string, op operation.NexthopChange) {
	d.allow(in[state.NexthopObject](netns, func(_ state.Difference, o state.NexthopObject) bool {
		return op.ID == nil || o.ID == *op.ID || len(o.Group) > 0
	}))
	d.allow(in[state.Route](netns, func(_ state.Difference, r state.Route) bool { return r.NexthopID != 0 }))
	d.allow(in[state.FDBEntry](netns, func(_ state.Difference, e state.FDBEntry) bool { return e.NexthopID != 0 }))
}

// nexthopsGo notes that nexthop objects go, and routes with them.
func (d *declared) nexthopsGo(netns string) {
	d.nexthop(netns, operation.NexthopChange{})
}
