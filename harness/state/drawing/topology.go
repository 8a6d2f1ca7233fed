package drawing

import (
	"fmt"
	"net/netip"
	"slices"

	"netnscheck/harness/state"
)

// Topology is the content of a drawing as values for programs. Unprintable characters in names are escaped.
type Topology struct {
	Namespaces []Namespace `json:"namespaces"`
	Cables     []Cable     `json:"cables"`
	// NotNamespaces are the names in /run/netns that are not namespaces.
	NotNamespaces []string `json:"not_namespaces,omitempty"`
}

// Namespace is one box.
type Namespace struct {
	Name          string      `json:"name"`
	Interfaces    []Interface `json:"interfaces"`
	DefaultRoutes []string    `json:"default_routes"`
	Unread        []string    `json:"unread,omitempty"`
}

// Interface is a link of a namespace.
type Interface struct {
	Name string `json:"name"`
	Kind string `json:"kind"`
	// State is up, down or "no carrier" (up without carrier).
	State     State     `json:"state"`
	MTU       int       `json:"mtu"`
	Addresses []Address `json:"addresses"`
	// Master is the bridge, bond or VRF that the interface belongs to.
	Master string `json:"master,omitempty"`
	// PortState is the state of a bridge port.
	PortState string `json:"port_state,omitempty"`
	// Peer is the other end of a veth pair, or the lower interface; its namespace is "" if that is outside the state.
	Peer *End `json:"peer,omitempty"`
	// Tunnel describes the settings of a vlan, a vxlan or a macvlan.
	Tunnel string `json:"tunnel,omitempty"`

	loopback bool
}

// Address is an address with a remark if it is unusual, such as tentative.
type Address struct {
	Prefix string `json:"prefix"`
	Remark string `json:"remark,omitempty"`

	ordinary bool // one that every such interface has: loopback and link-local
}

// End is one end of a cable.
type End struct {
	Netns     string `json:"netns,omitempty"`
	Interface string `json:"interface"`
}

// Cable connects interfaces of two namespaces: a veth pair, or an interface and its lower interface.
type Cable struct {
	A    End    `json:"a"`
	B    End    `json:"b"`
	Kind string `json:"kind"` // veth, macvlan, …
	// Carries is set if both ends have carrier.
	Carries bool `json:"carries"`

	ends [2]place
}

// place is an interface, by its indexes in the topology.
type place struct{ netns, link int }

// State is the state of an interface.
type State string

// The states of an interface.
const (
	Up        State = "up"
	Down      State = "down"
	NoCarrier State = "no carrier"
)

// TopologyOf is the part of a state that a drawing shows.
func TopologyOf(s *state.State) *Topology { return topologyOf(s, false) }

func topologyOf(s *state.State, ascii bool) *Topology {
	t := &Topology{Namespaces: []Namespace{}, Cables: []Cable{}}
	show := func(name string) string { return printable(name, ascii) }
	for i := range s.Namespaces {
		n := &s.Namespaces[i]
		one := Namespace{Name: show(n.Name), Interfaces: []Interface{}, DefaultRoutes: defaultRoutes(n, show)}
		for _, u := range n.Unread {
			one.Unread = append(one.Unread, show(u))
		}
		for j := range n.Links {
			one.Interfaces = append(one.Interfaces, interfaceOf(&n.Links[j], show))
		}
		t.Namespaces = append(t.Namespaces, one)
	}
	for _, name := range s.NotNamespaces {
		t.NotNamespaces = append(t.NotNamespaces, show(name))
	}
	t.Cables = append(t.Cables, t.cables(s)...)
	return t
}

// defaultRoutes are the default routes of the main table in the syntax of ip, with gateway and device only.
func defaultRoutes(n *state.Namespace, show func(string) string) []string {
	routes := []string{}
	for _, r := range n.Routes {
		if r.Table != state.TableMain || !r.To.IsValid() || r.To.Bits() != 0 {
			continue
		}
		text := "default"
		if r.Type != "unicast" {
			text = r.Type + " default"
		}
		for i, hop := range r.Nexthops {
			if i > 0 {
				text += ","
			}
			if hop.Via.IsValid() {
				text += " via " + hop.Via.String()
			}
			if hop.Dev != "" {
				text += " dev " + hop.Dev
			}
		}
		routes = append(routes, show(text))
	}
	return routes
}

func interfaceOf(l *state.Link, show func(string) string) Interface {
	one := Interface{
		Name: show(l.Name), Kind: show(l.Kind), State: stateOf(l), MTU: l.MTU, Addresses: []Address{},
		Master:   show(l.Master),
		loopback: l.Kind == "loopback",
	}
	if l.Port != nil {
		one.PortState = show(l.Port.State)
	}
	if p := l.Peer; p != nil {
		one.Peer = &End{Netns: show(p.Netns), Interface: show(p.Name)}
		if p.Name == "" {
			one.Peer.Interface = fmt.Sprint("if", p.Index)
		}
	}
	switch {
	case l.VLAN != nil:
		one.Tunnel = fmt.Sprint("id ", l.VLAN.ID)
	case l.VXLAN != nil:
		one.Tunnel = fmt.Sprint("id ", l.VXLAN.ID)
		if l.VXLAN.Remote.IsValid() {
			one.Tunnel += " to " + show(l.VXLAN.Remote.String())
		}
	case l.Macvlan != "":
		one.Tunnel = "mode " + show(l.Macvlan)
	}
	for _, a := range l.Addresses {
		one.Addresses = append(one.Addresses, addressOf(a, one.loopback))
	}
	return one
}

func stateOf(l *state.Link) State {
	switch {
	case !l.Up:
		return Down
	case !l.Carrier:
		return NoCarrier
	}
	return Up
}

func addressOf(a state.Address, loopback bool) Address {
	out := Address{Prefix: a.Prefix.String()}
	if a.Peer.IsValid() {
		out.Prefix = a.Prefix.Addr().String() + " peer " + a.Peer.String()
	}
	switch {
	case slices.Contains(a.Flags, "dadfailed"):
		out.Remark = "duplicate"
	case slices.Contains(a.Flags, "tentative"):
		out.Remark = "tentative"
	}
	of := a.Prefix.Addr()
	usual := loopback && (a.Prefix == netip.PrefixFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), 8) ||
		of == netip.IPv6Loopback())
	// A link-local address is tentative for a moment after its interface comes up.
	out.ordinary = usual && out.Remark == "" || of.Is6() && of.IsLinkLocalUnicast() && out.Remark != "duplicate"
	return out
}

// cables finds each cable between two namespaces once, from the end that comes first.
func (t *Topology) cables(s *state.State) []Cable {
	netns, links := map[string]int{}, make([]map[int]int, len(s.Namespaces)) // by name; of each, by index
	for i := range s.Namespaces {
		n := &s.Namespaces[i]
		netns[n.Name], links[i] = i, map[int]int{}
		for j := len(n.Links) - 1; j >= 0; j-- { // of several with one index, the first
			links[i][n.Links[j].Index] = j
		}
	}
	var found []Cable
	for i := range s.Namespaces {
		for j := range s.Namespaces[i].Links {
			l := &s.Namespaces[i].Links[j]
			if l.Peer == nil || l.Peer.Hidden {
				continue
			}
			k, known := netns[l.Peer.Netns]
			if !known || k == i || l.Kind == "veth" && k < i {
				continue
			}
			m, there := links[k][l.Peer.Index]
			if !there {
				continue
			}
			far := &s.Namespaces[k].Links[m]
			found = append(found, Cable{
				A: t.end(place{i, j}), B: t.end(place{k, m}), Kind: t.at(place{i, j}).Kind,
				Carries: stateOf(l) == Up && stateOf(far) == Up,
				ends:    [2]place{{i, j}, {k, m}},
			})
		}
	}
	return found
}

func (t *Topology) end(p place) End {
	n := &t.Namespaces[p.netns]
	return End{Netns: n.Name, Interface: n.Interfaces[p.link].Name}
}

// at is the interface at a place.
func (t *Topology) at(p place) *Interface { return &t.Namespaces[p.netns].Interfaces[p.link] }

// endIn is the number of the cable's end in this namespace, or -1.
func (c *Cable) endIn(netns int) int {
	for i, e := range c.ends {
		if e.netns == netns {
			return i
		}
	}
	return -1
}
