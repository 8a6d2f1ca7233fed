package state

import (
	"fmt"
	"net/netip"
	"strings"
)

// linkProperties are the compared properties of a link, in the order of the report, each as text.
var linkProperties = []struct {
	name  string
	value func(*Link) string
}{
	{"index", func(l *Link) string { return fmt.Sprint(l.Index) }},
	{"kind", func(l *Link) string { return l.Kind }},
	{Up, func(l *Link) string { return choose(l.Up, "up", "down") }},
	{"carrier", func(l *Link) string { return choose(l.Carrier, "carrier", "no carrier") }},
	{"operational state", func(l *Link) string { return l.OperState }},
	{"MTU", func(l *Link) string { return fmt.Sprint(l.MTU) }},
	{"MAC address", func(l *Link) string { return l.MAC }},
	{"link-layer broadcast address", func(l *Link) string { return l.Broadcast }},
	{"alternative names", func(l *Link) string { return strings.Join(l.AltNames, " ") }},
	{"alias", func(l *Link) string { return l.Alias }},
	{"master", func(l *Link) string { return l.Master }},
	{"lower or peer interface", func(l *Link) string { return peerText(l.Peer) }},
	{"transmit queue length", func(l *Link) string { return fmt.Sprint(l.TxQLen) }},
	{"transmit queues", func(l *Link) string { return fmt.Sprint(l.NumTx) }},
	{"receive queues", func(l *Link) string { return fmt.Sprint(l.NumRx) }},
	{"group", func(l *Link) string { return fmt.Sprint(l.Group) }},
	{"promiscuity", func(l *Link) string { return fmt.Sprint(l.Promiscuity) }},
	{"ARP", func(l *Link) string { return choose(l.NoARP, "off", "on") }},
	{"promiscuous mode", func(l *Link) string { return choose(l.Promisc, "on", "off") }},
	{"all-multicast mode", func(l *Link) string { return choose(l.AllMulti, "on", "off") }},
	{"multicast", func(l *Link) string { return choose(l.NoMulticast, "off", "on") }},
	{"protodown", func(l *Link) string { return choose(l.Protodown, "on", "off") }},
	{"mode", func(l *Link) string { return l.Mode }},
	{"GSO maximum size", func(l *Link) string { return fmt.Sprint(l.GSOMaxSize) }},
	{"queueing discipline", func(l *Link) string { return l.Qdisc }},
	{"vlan", func(l *Link) string { return vlanText(l.VLAN) }},
	{"vxlan", func(l *Link) string { return vxlanText(l.VXLAN) }},
	{"macvlan mode", func(l *Link) string { return l.Macvlan }},
	{"ipvlan mode", func(l *Link) string { return l.IPvlan }},
	{"vrf table", func(l *Link) string { return fmt.Sprint(l.VRFTable) }},
	{"XDP", func(l *Link) string { return xdpText(l.XDP) }},
}

func choose(condition bool, yes, no string) string {
	if condition {
		return yes
	}
	return no
}

func vlanText(v *VLAN) string {
	if v == nil {
		return ""
	}
	return words(fmt.Sprint("id ", v.ID), v.Protocol)
}

func vxlanText(v *VXLAN) string {
	if v == nil {
		return ""
	}
	return words(fmt.Sprint("id ", v.ID), option("remote", addrText(v.Remote)), option("local", addrText(v.Local)),
		option("dev", v.Dev), fmt.Sprint("dstport ", v.DstPort), choose(v.Learning, "learning", "nolearning"),
		option("df", v.DF))
}

func peerText(p *LinkRef) string {
	switch {
	case p == nil:
		return ""
	case p.Hidden:
		return "in a namespace of others"
	case p.Name == "":
		return fmt.Sprint("index ", p.Index)
	}
	return p.Name + " in " + p.Netns
}

func compareLinks(t teller, a, b *Link) {
	t = t.pair(*a, *b)
	for _, p := range linkProperties {
		if x, y := p.value(a), p.value(b); x != y {
			words := p.name
			if p.name == Up || p.name == "carrier" { // the values say it
				words = ""
			}
			t.tell(p.name, t.changed(words, x, y))
		}
	}
	compareFields(t.about("bridge"), a.Bridge, b.Bridge, bridgeFields)
	compareFields(t.about("bridge port"), a.Port, b.Port, portFields)
	match(t, a.Addresses, b.Addresses, addressKey, func(t teller, a, b Address) {
		about := t.about(addressKey(a))
		about.property("broadcast address", addrText(a.Broadcast), addrText(b.Broadcast))
		about.property("scope", a.Scope, b.Scope)
		about.property("label", a.Label, b.Label)
		about.property("flags", strings.Join(a.Flags, " "), strings.Join(b.Flags, " "))
		about.property("valid", lifetimeText(a.ValidLft), lifetimeText(b.ValidLft))
		about.property("preferred", lifetimeText(a.PreferredLft), lifetimeText(b.PreferredLft))
		about.property("origin", fmt.Sprint(a.Proto), fmt.Sprint(b.Proto))
	})
}

func addressKey(a Address) string {
	if a.Peer.IsValid() {
		return fmt.Sprintf("address %s peer %s", a.Prefix, a.Peer)
	}
	return "address " + a.Prefix.String()
}

func addrText(a netip.Addr) string {
	if !a.IsValid() {
		return ""
	}
	return a.String()
}

// lifetimeText says whether a lifetime ends, not when: the rest of it keeps shrinking.
func lifetimeText(seconds uint32) string {
	return choose(seconds == Forever, "for ever", "for a limited time")
}

// field is one value of a bridge or of a port.
type field[T any] struct {
	name  string
	value func(*T) any
}

// compareFields ignores settings that exist on one side only: the difference of kind or master implies them.
func compareFields[T any](t teller, a, b *T, all []field[T]) {
	if a == nil || b == nil {
		return
	}
	for _, f := range all {
		t.property(f.name, fmt.Sprint(f.value(a)), fmt.Sprint(f.value(b)))
	}
}

var bridgeFields = []field[Bridge]{
	{"STP", func(b *Bridge) any { return b.STP }},
	{"forward delay", func(b *Bridge) any { return b.ForwardDelay }},
	{"hello time", func(b *Bridge) any { return b.HelloTime }},
	{"maximum age", func(b *Bridge) any { return b.MaxAge }},
	{"ageing time", func(b *Bridge) any { return b.AgeingTime }},
	{"priority", func(b *Bridge) any { return b.Priority }},
	{"VLAN filtering", func(b *Bridge) any { return choose(b.VLANFiltering, "on", "off") }},
	{"VLAN protocol", func(b *Bridge) any { return b.VLANProtocol }},
	{"default PVID", func(b *Bridge) any { return b.DefaultPVID }},
	{"multicast snooping", func(b *Bridge) any { return choose(b.MulticastSnooping, "on", "off") }},
	{"multicast querier", func(b *Bridge) any { return choose(b.MulticastQuerier, "on", "off") }},
	{"call of iptables", func(b *Bridge) any { return choose(b.NFCallIPTables, "on", "off") }},
	{"call of ip6tables", func(b *Bridge) any { return choose(b.NFCallIP6Tables, "on", "off") }},
	{"call of arptables", func(b *Bridge) any { return choose(b.NFCallARPTables, "on", "off") }},
	{"group forward mask", func(b *Bridge) any { return fmt.Sprintf("0x%x", b.GroupForwardMask) }},
	{"VLANs", func(b *Bridge) any { return VLANsText(b.VLANs) }},
}

var portFields = []field[Port]{
	{"state", func(p *Port) any { return p.State }},
	{"cost", func(p *Port) any { return p.Cost }},
	{"priority", func(p *Port) any { return p.Priority }},
	{"isolated", func(p *Port) any { return choose(p.Isolated, "on", "off") }},
	{"hairpin", func(p *Port) any { return choose(p.Hairpin, "on", "off") }},
	{"guard", func(p *Port) any { return choose(p.Guard, "on", "off") }},
	{"root block", func(p *Port) any { return choose(p.RootBlock, "on", "off") }},
	{"fast leave", func(p *Port) any { return choose(p.FastLeave, "on", "off") }},
	{"learning", func(p *Port) any { return choose(p.NoLearning, "off", "on") }},
	{"flooding", func(p *Port) any { return choose(p.NoFlood, "off", "on") }},
	{"multicast flooding", func(p *Port) any { return choose(p.NoMulticastFlood, "off", "on") }},
	{"broadcast flooding", func(p *Port) any { return choose(p.NoBroadcastFlood, "off", "on") }},
	{"multicast to unicast", func(p *Port) any { return choose(p.MulticastUnicast, "on", "off") }},
	{"neighbour suppression", func(p *Port) any { return choose(p.NeighSuppress, "on", "off") }},
	{"proxy ARP", func(p *Port) any { return choose(p.ProxyARP, "on", "off") }},
	{"proxy ARP for WiFi", func(p *Port) any { return choose(p.ProxyARPWiFi, "on", "off") }},
	{"VLAN tunnel", func(p *Port) any { return choose(p.VLANTunnel, "on", "off") }},
	{"locked", func(p *Port) any { return choose(p.Locked, "on", "off") }},
	{"VLANs", func(p *Port) any { return VLANsText(p.VLANs) }},
}

// BridgeProperties are the names of the compared properties of bridges and their ports.
func BridgeProperties() (names []string) {
	for _, f := range bridgeFields {
		names = append(names, f.name)
	}
	for _, f := range portFields {
		names = append(names, f.name)
	}
	return names
}
