package diagnose

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"netnscheck/harness/diagnose/causes"
	"netnscheck/harness/state"
)

// ip is an ip command in a namespace.
func ip(n *state.Namespace, format string, args ...any) string {
	return ipIn(n.Name, format, args...)
}

func ipIn(ns, format string, args ...any) string {
	if options, found := strings.CutPrefix(format, "link set %s"); found && isOption(fmt.Sprint(args[0])) {
		format = "link set dev %s" + options
	}
	command := written(format, args)
	switch {
	case ns == state.Host:
		return "ip " + command
	case strings.HasPrefix(ns, "pid:"):
		return "nsenter -t " + strings.TrimPrefix(ns, "pid:") + " -n ip " + command
	}
	return "ip -n " + quoted(ns) + " " + command
}

// netnsName is a namespace as ip takes it behind the word netns: by its name, or by a process that is in it. The host
// has no name there, and which processes are in it is not known: PID is to be filled in.
func netnsName(name string) string {
	if name == state.Host {
		return "PID"
	}
	return quoted(strings.TrimPrefix(name, "pid:"))
}

// options are the words of ip link set (iplink_parse, ip/iplink.c, of iproute2).
var options = []string{"up", "down", "name", "index", "link", "address", "broadcast", "txqueuelen", "txqlen", "qlen",
	"mtu", "xdp", "xdpgeneric", "xdpdrv", "xdpoffload",
	"netns", "multicast", "allmulticast", "promisc", "trailers", "arp", "vf", "carrier", "master", "vrf", "nomaster",
	"dynamic", "type", "alias", "group", "mode", "state",
	"numtxqueues", "numrxqueues", "addrgenmode", "link-netns", "link-netnsid", "protodown", "protodown_reason",
	"gso_max_size", "gso_max_segs", "gro_max_size",
	"gso_ipv4_max_size", "gro_ipv4_max_size", "parentdev", "dev", "help"}

// isOption says whether ip link set takes the name of an interface for one of its options, of which it takes the
// beginning of a word too.
func isOption(name string) bool {
	return slices.ContainsFunc(options, func(word string) bool { return strings.HasPrefix(word, name) })
}

// in is any command in a namespace.
func in(n *state.Namespace, format string, args ...any) string {
	command := written(format, args)
	switch {
	case n.Name == state.Host:
		return command
	case strings.HasPrefix(n.Name, "pid:"):
		return "nsenter -t " + strings.TrimPrefix(n.Name, "pid:") + " -n " + command
	}
	return "ip netns exec " + quoted(n.Name) + " " + command
}

// written puts words into a command as a shell has to read them: whoever is in a container may choose the names of its
// interfaces.
func written(format string, args []any) string {
	safe := make([]any, len(args))
	for i, arg := range args {
		text, ok := arg.(string)
		if !ok {
			safe[i] = arg
			continue
		}
		// a route or an option may be several words; the name of an interface has no blank
		words := strings.Split(text, " ")
		for k := range words {
			words[k] = quoted(words[k])
		}
		safe[i] = strings.Join(words, " ")
	}
	return fmt.Sprintf(format, safe...)
}

// quoted is a word as a shell has to read it. The Quote of mvdan.cc/sh refuses, for a POSIX shell, the names that are
// not all printable, for which a repair is printed too; its parser reads in a test what is written here.
func quoted(word string) string {
	const plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_@%+=:,./-"
	if strings.Trim(word, plain) == "" {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

// six is the option that some commands need for IPv6.
func six(family int) string {
	if family == 6 {
		return "-6 "
	}
	return ""
}

// cause makes a cause on a link, or in the namespace when l is nil.
func cause(name causes.Cause, n *state.Namespace, l *state.Link, format string, args ...any) *Cause {
	c := &Cause{Name: name, Netns: n.Name, Says: fmt.Sprintf(format, args...)}
	if l != nil {
		c.Link = l.Name
	}
	return c
}

func (c *Cause) proof(lines ...string) *Cause {
	c.Evidence = append(c.Evidence, lines...)
	return c
}

func (c *Cause) mend(commands ...string) *Cause {
	c.Repair = append(c.Repair, commands...)
	return c
}

func (c *Cause) advise(lines ...string) *Cause {
	c.Advice = append(c.Advice, lines...)
	return c
}

// mendAs takes over what mends another cause.
func (c *Cause) mendAs(other *Cause) *Cause {
	return c.mend(other.Repair...).advise(other.Advice...)
}

// shown is a line of state with the command that shows it.
func linkShown(n *state.Namespace, l *state.Link) string {
	return ip(n, "link show dev %s", l.Name) + ": " + state.LinkText(*l)
}

func addressShown(n *state.Namespace, l *state.Link, a state.Address) string {
	return ip(n, "addr show dev %s", l.Name) + ": " + state.AddressText(a)
}

func routeShown(n *state.Namespace, r *state.Route) string {
	return ip(n, "%sroute show table %s", six(r.Family), state.TableName(r.Table)) + ": " + state.RouteText(*r)
}

func ruleShown(n *state.Namespace, r *state.Rule) string {
	return ip(n, "%srule show", six(r.Family)) + ": " + state.RuleText(*r)
}

// sysctl is the value of a setting, "" when it was not read.
func sysctl(n *state.Namespace, key string) string {
	for _, s := range n.Sysctls {
		if s.Key == key {
			return s.Value
		}
	}
	return ""
}

// sysctlShown is a setting with the command that shows it.
func sysctlShown(n *state.Namespace, key string) string {
	return in(n, "sysctl %s", key) + ": " + sysctl(n, key)
}

// ofLink is the key of an interface's setting, with a name that has dots in the form of sysctl(8).
func ofLink(family int, link, name string) string {
	return fmt.Sprintf("net.ipv%d.conf.%s.%s", family, strings.ReplaceAll(link, ".", "/"), name)
}

// number is a setting as a number, 0 when it was not read.
func number(n *state.Namespace, key string) int {
	value := 0
	fmt.Sscan(sysctl(n, key), &value)
	return value
}

// strongest is the greater of an interface's setting and of that for all: so the kernel takes most of IPv4's.
func strongest(n *state.Namespace, l *state.Link, name string) int {
	return max(number(n, ofLink(4, "all", name)), number(n, ofLink(4, l.Name, name)))
}

func familyOf(a netip.Addr) int {
	if a.Is4() {
		return 4
	}
	return 6
}

func has(flags []string, flag string) bool { return slices.Contains(flags, flag) }

// usable says that an address can be the source of packets and answers for itself.
func usable(a state.Address) bool {
	return !has(a.Flags, "dadfailed") && (!has(a.Flags, "tentative") || has(a.Flags, "optimistic"))
}

// covered is the network of an address: with a peer, the peer's prefix.
func covered(a state.Address) netip.Prefix {
	if a.Peer.IsValid() {
		return a.Peer.Masked()
	}
	return a.Prefix.Masked()
}

func covers(a state.Address, addr netip.Addr) bool { return covered(a).Contains(addr.WithZone("")) }

// addresses are those of a family on a link, without IPv6 link-local ones.
func addresses(l *state.Link, family int) (found []state.Address) {
	for _, a := range l.Addresses {
		if familyOf(a.Prefix.Addr()) == family && !(family == 6 && a.Prefix.Addr().IsLinkLocalUnicast()) {
			found = append(found, a)
		}
	}
	return found
}

// ordinary are the links of a namespace besides its loopback and the fallback tunnels of some kernels.
func ordinary(n *state.Namespace) (links []*state.Link) {
	for i := range n.Links {
		l := &n.Links[i]
		switch l.Name {
		case "lo", "tunl0", "gre0", "gretap0", "erspan0", "ip_vti0", "ip6_vti0", "sit0", "ip6tnl0", "ip6gre0":
			continue
		}
		links = append(links, l)
	}
	return links
}

// port is a link in its namespace.
type port struct {
	n *state.Namespace
	l *state.Link
}

// owned are all links that have an address, over all namespaces.
func (w *walk) owned(addr netip.Addr) []port {
	if w.owners == nil {
		w.owners = map[netip.Addr][]port{}
		for i := range w.state.Namespaces {
			n := &w.state.Namespaces[i]
			for j := range n.Links {
				for _, a := range n.Links[j].Addresses {
					w.owners[a.Prefix.Addr()] = append(w.owners[a.Prefix.Addr()], port{n, &n.Links[j]})
				}
			}
		}
	}
	return w.owners[addr.WithZone("")]
}

// namespace finds a namespace by its name.
func (w *walk) namespace(name string) *state.Namespace {
	if w.names == nil {
		w.names = make(map[string]*state.Namespace, len(w.state.Namespaces))
		for i := range w.state.Namespaces {
			w.names[w.state.Namespaces[i].Name] = &w.state.Namespaces[i]
		}
	}
	return w.names[name]
}

// below is what a link stands on or is opposite to: a veth's peer, the lower device of a vlan, macvlan and the like;
// nil when it is none or out of sight.
func (w *walk) below(l *state.Link) *port {
	if l.Peer == nil || l.Peer.Hidden {
		return nil
	}
	n := w.namespace(l.Peer.Netns)
	if n == nil {
		return nil
	}
	if peer := n.Link(l.Peer.Name); peer != nil {
		return &port{n, peer}
	}
	return nil
}

// lowest is the link on which another one stands in the end: those on one link may share its MAC address.
func (w *walk) lowest(at port) port {
	for range 8 { // MAX_NEST_DEV
		if lower := w.below(at.l); lower != nil && at.l.Kind != "veth" {
			at = *lower
		}
	}
	return at
}

// above are the macvlans, vlans and ipvlans (but those that route, and hear nothing of the segment) that stand on a
// link.
func (w *walk) above(p port) []port {
	if w.children == nil {
		w.children = map[port][]port{}
		for i := range w.state.Namespaces {
			n := &w.state.Namespaces[i]
			for j := range n.Links {
				l := &n.Links[j]
				if l.Macvlan == "" && l.VLAN == nil && l.IPvlan != "l2" {
					continue
				}
				if lower := w.below(l); lower != nil {
					w.children[*lower] = append(w.children[*lower], port{n, l})
				}
			}
		}
	}
	return w.children[p]
}
