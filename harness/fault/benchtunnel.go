package fault

import (
	"net/netip"
	"slices"
	"strings"

	"netnscheck/harness/scenario/operation"
	"netnscheck/harness/state"
)

// rebuild deletes a VXLAN or a VLAN and adds it again with other settings, which the kernel does not change
// (vxlan_changelink in drivers/net/vxlan/vxlan_core.c, vlan_changelink in net/8021q/vlan_netlink.c). It has its MAC
// address, master and addresses again, and is up if it was.
func (b *bench) rebuild(netns string, was, other state.Link) {
	b.addAgain(netns, other)
	if was.Master != "" {
		b.setMaster(netns, was.Name, was.Master)
	}
	if was.Up {
		b.setUp(netns, was.Name)
	}
	for _, a := range was.Addresses {
		if !comesAlone(was, a) {
			b.addAddress(netns, was.Name, a)
		}
	}
}

// addAgain deletes a VXLAN or a VLAN and adds one of its name with the wanted settings, which is down and has no
// addresses.
func (b *bench) addAgain(netns string, want state.Link) {
	n := b.do(netns, operation.LinkDelete{Name: want.Name}, want.Name)
	for _, a := range slices.Clone(n.Link(want.Name).Addresses) {
		b.drop(n, n.Link(want.Name), a)
	}
	b.dropRoutes(n, func(r state.Route) bool { return leavesBy(r, want.Name) })
	n.Neighbours = slices.DeleteFunc(n.Neighbours, func(e state.Neighbour) bool { return e.Dev == want.Name })
	n.FDB = slices.DeleteFunc(n.FDB, func(e state.FDBEntry) bool { return e.Dev == want.Name })

	l := n.Link(want.Name)
	l.Up, l.Carrier, l.OperState, l.MTU, l.NoARP = false, false, "down", want.MTU, false
	l.Master, l.Port, l.Addresses = "", nil, nil
	if want.VLAN != nil {
		b.addVLAN(n, l, want)
	} else {
		b.addVXLAN(n, l, want)
	}
	for i := range n.Sysctls {
		key := n.Sysctls[i].Key
		if ofLink(key, want.Name) {
			family, name, _ := strings.Cut(strings.Replace(key, slashed(want.Name), "", 1), ".conf..")
			n.Sysctls[i].Value = defaultOf(n, family, name)
		}
	}
}

func (b *bench) addVXLAN(n *state.Namespace, l *state.Link, want state.Link) {
	v := *want.VXLAN
	o := operation.VXLANOptions{ID: v.ID, Local: v.Local, Dev: v.Dev, DstPort: &v.DstPort}
	if v.Remote.IsMulticast() {
		o.Group = v.Remote
	} else {
		o.Remote = v.Remote
	}
	if !v.Learning {
		o.Learning = &v.Learning
	}
	b.do(n.Name, operation.LinkAdd{LinkAttributes: operation.LinkAttributes{Name: want.Name, MTU: &want.MTU,
		Address: hardwareAddr(want.MAC)}, Kind: "vxlan", VXLAN: &o})
	l.MAC, l.MACRandom, l.VXLAN = want.MAC, false, &v
	if v.Remote != (netip.Addr{}) {
		n.FDB = append(n.FDB, state.FDBEntry{MAC: "00:00:00:00:00:00", Dev: want.Name, Dst: v.Remote, Permanent: true})
	}
}

// addVLAN adds a VLAN on the link that it was on, whose MAC address it takes, unless it has one of its own.
func (b *bench) addVLAN(n *state.Namespace, l *state.Link, want state.Link) {
	v := *want.VLAN
	o := operation.LinkAdd{LinkAttributes: operation.LinkAttributes{Name: want.Name, MTU: &want.MTU}, Kind: "vlan",
		Link: want.Peer.Name, VLAN: &operation.VLANOptions{ID: v.ID, Protocol: v.Protocol}}
	if !want.MACRandom {
		o.Address = hardwareAddr(want.MAC)
	}
	b.do(n.Name, o)
	l.MAC, l.MACRandom, l.VLAN = want.MAC, want.MACRandom, &v
}

// setMAC gives a link another MAC address. Its neighbours are forgotten (neigh_changeaddr in net/core/neighbour.c).
func (b *bench) setMAC(netns, link, mac string) {
	n := b.do(netns, operation.LinkSet{Name: link, Address: hardwareAddr(mac)}, link)
	l := n.Link(link)
	l.MAC, l.MACRandom = mac, false
	n.Neighbours = slices.DeleteFunc(n.Neighbours, func(e state.Neighbour) bool { return e.Dev == link })
}

// chosenMACs is a state in which those MAC addresses count as chosen by the kernel that it has chosen in the finished
// one. Given back by hand, they are what they were.
func chosenMACs(s, finished *state.State) *state.State {
	own := clone(s)
	for i := range own.Namespaces {
		n := &own.Namespaces[i]
		for j := range n.Links {
			was := finished.Namespace(n.Name).Link(n.Links[j].Name)
			n.Links[j].MACRandom = n.Links[j].MACRandom || was != nil && was.MACRandom && was.MAC == n.Links[j].MAC
		}
	}
	return own
}
