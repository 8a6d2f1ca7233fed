package claim

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"netnscheck/harness/state"
)

// attribute is one attribute of a link that a check can name.
type attribute struct {
	name string
	// of are the values of the attribute as text, of which any may be the one in a check; nil if the link has no such
	// attribute. An attribute without this function is an offload, which is not part of the state.
	of    func(*state.Link) []string
	owner owner
	// read is the text in a check as `of` has it, or an error if the attribute can never have this value.
	read func(text string) (string, error)
	// set are commands that set the attribute, with %[1]s for the interface and %[2]s for the value. others are values
	// that it may get, for mutants. made is set if a link gets it when it is made.
	set    []string
	others []string
	made   bool
}

// owner is a kind of link that has attributes of its own.
type owner struct{ lacking string }

var (
	bridgePort   = owner{"not a port of a bridge"}
	bridge       = owner{"not a bridge"}
	bridgeOrPort = owner{"neither a bridge nor a port of one"}
)

// offload is the prefix of the names of offloads.
const offload = "offload:"

// linkAttributes are those of any link; the first is the example in the forms.
var linkAttributes = []attribute{
	{name: "txqueuelen", of: digits(func(l *state.Link) int { return l.TxQLen }), read: aNumber("txqueuelen"),
		set: []string{"ip link set %[1]s txqueuelen %[2]s"}, others: []string{"77"}},
	{name: "alias", of: one(func(l *state.Link) string { return l.Alias }), read: anyText,
		set: []string{"ip link set %[1]s alias '%[2]s'"}, others: []string{"zzz"}},
	{name: "group", of: func(l *state.Link) []string { return groupNames(l.Group) }, read: anyText,
		set: []string{"ip link set %[1]s group %[2]s"}, others: []string{"77"}},
	{name: "altname", of: func(l *state.Link) []string { return append([]string{}, l.AltNames...) }, read: anyText,
		set: []string{"ip link property add dev %[1]s altname '%[2]s'"}},
	{name: "promiscuity", of: digits(func(l *state.Link) int { return l.Promiscuity }), read: aNumber("promiscuity"),
		set: []string{"ip link set %[1]s promisc %[2]s"}, others: []string{"on", "off"}},
	{name: "numtxqueues", of: digits(func(l *state.Link) int {
		return l.NumTx
	}), read: aNumber("numtxqueues"), made: true},
	{name: "numrxqueues", of: digits(func(l *state.Link) int {
		return l.NumRx
	}), read: aNumber("numrxqueues"), made: true},
	{name: "gso_max_size", of: digits(func(l *state.Link) int { return l.GSOMaxSize }), read: aNumber("gso_max_size"),
		set: []string{"ip link set dev %[1]s gso_max_size %[2]s"}, others: []string{"8192"}},
	{name: "qdisc", of: one(func(l *state.Link) string { return l.Qdisc }), read: anyText,
		set:    []string{"tc qdisc replace dev %[1]s root %[2]s"},
		others: []string{"tbf rate 1mbit burst 10kb latency 50ms", "pfifo"}},
	{name: "operstate", of: one(func(l *state.Link) string { return strings.ToLower(l.OperState) }),
		read: func(text string) (string, error) { return strings.ToLower(text), nil }},
	{name: "ifindex", of: digits(func(l *state.Link) int { return l.Index }), read: aNumber("ifindex"), made: true},
	{name: "arp", of: one(func(l *state.Link) string { return word(l.NoARP, "off", "on") }), read: onOff("arp"),
		set: []string{"ip link set %[1]s arp %[2]s"}, others: onAndOff},
	{name: offload + "tso", read: onOff(offload + "tso"), set: []string{"ethtool -K %[1]s tso %[2]s"},
		others: onAndOff},
	{name: offload + "gro", read: onOff(offload + "gro"), set: []string{"ethtool -K %[1]s gro %[2]s"},
		others: onAndOff},
}

// portAttributes are those of a port of a bridge.
var portAttributes = []attribute{
	portSwitch("isolated", func(p *state.Port) bool { return p.Isolated }),
	portSwitch("hairpin", func(p *state.Port) bool { return p.Hairpin }),
	portSwitch("learning", func(p *state.Port) bool { return !p.NoLearning }),
	portSwitch("flood", func(p *state.Port) bool { return !p.NoFlood }),
	portSwitch("mcast_flood", func(p *state.Port) bool { return !p.NoMulticastFlood }),
	portSwitch("bcast_flood", func(p *state.Port) bool { return !p.NoBroadcastFlood }),
	portSwitch("mcast_to_unicast", func(p *state.Port) bool { return p.MulticastUnicast }),
	portSwitch("neigh_suppress", func(p *state.Port) bool { return p.NeighSuppress }),
	portSwitch("guard", func(p *state.Port) bool { return p.Guard }),
	portSwitch("root_block", func(p *state.Port) bool { return p.RootBlock }),
	portSwitch("fastleave", func(p *state.Port) bool { return p.FastLeave }),
	portSwitch("proxy_arp", func(p *state.Port) bool { return p.ProxyARP }),
	portSwitch("proxy_arp_wifi", func(p *state.Port) bool { return p.ProxyARPWiFi }),
	portSwitch("vlan_tunnel", func(p *state.Port) bool { return p.VLANTunnel }),
	portSwitch("locked", func(p *state.Port) bool { return p.Locked }),
	{name: "state", owner: bridgePort, of: ofPort(func(p *state.Port) string { return p.State }),
		read: oneOfValues("state", state.PortStates...),
		set:  setPort("state"), others: []string{"disabled", "forwarding"}},
	{name: "cost", owner: bridgePort, of: ofPort(func(p *state.Port) string { return strconv.Itoa(p.Cost) }),
		read: aNumber("cost"), set: setPort("cost"), others: []string{"77"}},
	{name: "priority", owner: bridgeOrPort, of: priority, read: aNumber("priority"),
		set: slices.Concat(setPort("priority"), setBridge("priority")), others: []string{"17", "4096"}},
}

// bridgeAttributes are those of a bridge. Times are in hundredths of a second.
var bridgeAttributes = []attribute{
	bridgeSwitch("vlan_filtering", func(b *state.Bridge) bool { return b.VLANFiltering }),
	bridgeSwitch("stp_state", func(b *state.Bridge) bool { return b.STP != 0 }),
	bridgeSwitch("mcast_snooping", func(b *state.Bridge) bool { return b.MulticastSnooping }),
	bridgeSwitch("mcast_querier", func(b *state.Bridge) bool { return b.MulticastQuerier }),
	bridgeNumber("forward_delay", "777", func(b *state.Bridge) int { return b.ForwardDelay }),
	bridgeNumber("hello_time", "177", func(b *state.Bridge) int { return b.HelloTime }),
	bridgeNumber("max_age", "777", func(b *state.Bridge) int { return b.MaxAge }),
	bridgeNumber("ageing_time", "777", func(b *state.Bridge) int { return b.AgeingTime }),
	bridgeNumber("vlan_default_pvid", "77", func(b *state.Bridge) int { return b.DefaultPVID }),
	bridgeNumber("group_fwd_mask", "8", func(b *state.Bridge) int { return int(b.GroupForwardMask) }),
	{name: "vlan_protocol", owner: bridge, of: ofBridge(func(b *state.Bridge) string { return b.VLANProtocol }),
		read: oneOfValues("vlan_protocol", "802.1Q", "802.1ad"), set: setBridge("vlan_protocol"),
		others: []string{"802.1Q", "802.1ad"}},
}

var attributes = slices.Concat(linkAttributes, portAttributes, bridgeAttributes)

func attributeNames() (names []string) {
	for _, a := range attributes {
		names = append(names, a.name)
	}
	return names
}

// attributeNamed is an attribute by its name. Only a claim made in Go can name one that does not exist: it cannot be
// judged.
func attributeNamed(name string) attribute {
	for _, a := range attributes {
		if a.name == name {
			return a
		}
	}
	return attribute{read: func(string) (string, error) { return "", fmt.Errorf("there is no attribute %s", name) }}
}

// setters are the ways to set the attribute of a link.
func (a attribute) setters(i Iface, value string) (ways []Way) {
	for _, command := range a.set {
		line := fmt.Sprintf(command, i.Name, value)
		if rest, ok := strings.CutPrefix(line, "ip "); ok {
			ways = append(ways, by(in(i.Netns, "%s", rest)))
		} else {
			ways = append(ways, by(execIn(i.Netns, "%s", line)))
		}
	}
	return ways
}

func one(of func(*state.Link) string) func(*state.Link) []string {
	return func(l *state.Link) []string { return []string{of(l)} }
}

func digits(of func(*state.Link) int) func(*state.Link) []string {
	return one(func(l *state.Link) string { return strconv.Itoa(of(l)) })
}

func ofPort(of func(*state.Port) string) func(*state.Link) []string {
	return func(l *state.Link) []string {
		if l.Port == nil {
			return nil
		}
		return []string{of(l.Port)}
	}
}

func ofBridge(of func(*state.Bridge) string) func(*state.Link) []string {
	return func(l *state.Link) []string {
		if l.Bridge == nil {
			return nil
		}
		return []string{of(l.Bridge)}
	}
}

func priority(l *state.Link) []string {
	switch {
	case l.Port != nil:
		return []string{strconv.Itoa(l.Port.Priority)}
	case l.Bridge != nil:
		return []string{strconv.Itoa(l.Bridge.Priority)}
	}
	return nil
}

var onAndOff = []string{"on", "off"}

// setPort are the commands for an attribute of a port: either program lacks some.
func setPort(name string) []string {
	return []string{"bridge link set dev %[1]s " + name + " %[2]s", "ip link set %[1]s type bridge_slave " + name +
		" %[2]s"}
}

func setBridge(name string) []string {
	return []string{"ip link set %[1]s type bridge " + name + " %[2]s"}
}

// portSwitch is an attribute that is on or off.
func portSwitch(name string, of func(*state.Port) bool) attribute {
	return attribute{name: name, owner: bridgePort, others: onAndOff, set: setPort(name), read: onOff(name),
		of: ofPort(func(p *state.Port) string { return word(of(p), "on", "off") })}
}

// bridgeSwitch is an attribute that is on or off, for which `ip` writes 1 and 0.
func bridgeSwitch(name string, of func(*state.Bridge) bool) attribute {
	return attribute{name: name, owner: bridge, others: []string{"1", "0"}, set: setBridge(name),
		of: ofBridge(func(b *state.Bridge) string { return word(of(b), "on", "off") }),
		read: func(text string) (string, error) {
			switch text {
			case "1":
				text = "on"
			case "0":
				text = "off"
			}
			return onOff(name)(text)
		}}
}

func bridgeNumber(name, other string, of func(*state.Bridge) int) attribute {
	return attribute{name: name, owner: bridge, others: []string{other}, set: setBridge(name), read: aNumber(name),
		of: ofBridge(func(b *state.Bridge) string { return strconv.Itoa(of(b)) })}
}

// groupNames are the number of a group and, for group 0, its name in iproute2 (/etc/iproute2/group).
func groupNames(g uint32) []string {
	if g == 0 {
		return []string{"0", "default"}
	}
	return []string{strconv.FormatUint(uint64(g), 10)}
}

func anyText(text string) (string, error) { return text, nil }

// aNumber reads a number, also a hexadecimal one such as 0x8, as ip writes masks.
func aNumber(name string) func(text string) (string, error) {
	return func(text string) (string, error) {
		digits, hexadecimal := strings.CutPrefix(text, "0x")
		base := 10
		if hexadecimal {
			base = 16
		}
		n, err := strconv.ParseUint(digits, base, 32)
		if err != nil {
			return "", expected(text, "a number for "+name)
		}
		return strconv.FormatUint(n, 10), nil
	}
}

func onOff(name string) func(string) (string, error) { return oneOfValues(name, onAndOff...) }

func oneOfValues(name string, words ...string) func(string) (string, error) {
	check := oneOf("value of "+name, words)
	return func(text string) (string, error) { return text, check(text) }
}
