package fault

import (
	"net/netip"
	"slices"
	"strings"

	"netnscheck/harness/scenario/operation"
	"netnscheck/harness/state"
)

// rebuild deletes a VXLAN and adds it again with other settings, which the kernel does not change (vxlan_changelink in
// drivers/net/vxlan/vxlan_core.c). It has its MAC address, master and addresses again, and is up if it was.
func (b *bench) rebuild(netns string, was state.Link, v state.VXLAN) {
	b.addAgain(netns, was, v)
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

// addAgain deletes a VXLAN and adds one of its name, which is down and has no addresses.
func (b *bench) addAgain(netns string, was state.Link, v state.VXLAN) {
	n := b.do(netns, operation.LinkDelete{Name: was.Name}, was.Name)
	for _, a := range slices.Clone(n.Link(was.Name).Addresses) {
		b.drop(n, n.Link(was.Name), a)
	}
	b.dropRoutes(n, func(r state.Route) bool { return leavesBy(r, was.Name) })
	n.Neighbours = slices.DeleteFunc(n.Neighbours, func(e state.Neighbour) bool { return e.Dev == was.Name })
	n.FDB = slices.DeleteFunc(n.FDB, func(e state.FDBEntry) bool { return e.Dev == was.Name })

	o := operation.VXLANOptions{ID: v.ID, Local: v.Local, Dev: v.Dev, DstPort: &v.DstPort}
	if v.Remote.IsMulticast() {
		o.Group = v.Remote
	} else {
		o.Remote = v.Remote
	}
	if !v.Learning {
		o.Learning = &v.Learning
	}
	n = b.do(netns, operation.LinkAdd{LinkAttributes: operation.LinkAttributes{Name: was.Name, MTU: &was.MTU,
		Address: hardwareAddr(was.MAC)}, Kind: "vxlan", VXLAN: &o})
	l := n.Link(was.Name)
	l.Up, l.Carrier, l.OperState, l.MTU, l.MAC, l.MACRandom = false, false, "down", was.MTU, was.MAC, false
	l.Master, l.Port, l.Addresses, l.VXLAN = "", nil, nil, &v
	if v.Remote != (netip.Addr{}) {
		n.FDB = append(n.FDB, state.FDBEntry{MAC: "00:00:00:00:00:00", Dev: was.Name, Dst: v.Remote, Permanent: true})
	}
	for i := range n.Sysctls {
		key := n.Sysctls[i].Key
		if ofLink(key, was.Name) {
			family, name, _ := strings.Cut(strings.Replace(key, slashed(was.Name), "", 1), ".conf..")
			n.Sysctls[i].Value = sysctlOf(n, family+".conf.default."+name)
		}
	}
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
