package diagnose

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"netnscheck/harness/diagnose/causes"
	"netnscheck/harness/state"
)

// ip is an ip command in a namespace, quoted for a shell.
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

// netnsName is a namespace in the form ip takes after the word netns: its name, or the id of a process in it. The host
// has no name, and its processes are not known: PID is to be filled in.
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

// isOption reports whether ip link set takes the name of an interface for one of its options, which may be abbreviated.
func isOption(name string) bool {
	return slices.ContainsFunc(options, func(word string) bool { return strings.HasPrefix(word, name) })
}

// in is any command in a namespace, quoted for a shell.
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

// written formats a command and quotes its arguments for a shell: the names of interfaces may come from inside a
// container, and are not trusted.
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

// quoted is a word quoted for a POSIX shell. (syntax.Quote of mvdan.cc/sh refuses names with unprintable characters,
// for which a repair is printed too; a test parses the result with that package.)
func quoted(word string) string {
	const plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_@%+=:,./-"
	if strings.Trim(word, plain) == "" {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

// six is the -6 option, which some commands need for IPv6.
func six(family int) string {
	if family == 6 {
		return "-6 "
	}
	return ""
}

// cause makes a cause on a link, or in the namespace if l is nil.
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

func (c *Cause) fix(commands ...string) *Cause {
	c.Repair = append(c.Repair, commands...)
	return c
}

func (c *Cause) advise(lines ...string) *Cause {
	c.Advice = append(c.Advice, lines...)
	return c
}

// fixAs adds the repair and the advice of another cause.
func (c *Cause) fixAs(other *Cause) *Cause {
	return c.fix(other.Repair...).advise(other.Advice...)
}

// linkShown, and the like, is a line of state with the command that shows it.
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

// sysctl is the value of a sysctl, "" if it was not read.
func sysctl(n *state.Namespace, key string) string {
	for _, s := range n.Sysctls {
		if s.Key == key {
			return s.Value
		}
	}
	return ""
}

// sysctlShown is a sysctl with the command that shows it.
func sysctlShown(n *state.Namespace, key string) string {
	return in(n, "sysctl %s", key) + ": " + sysctl(n, key)
}

// ofLink is the key of an interface's sysctl; dots in its name become slashes, as sysctl(8) wants it.
func ofLink(family int, link, name string) string {
	return fmt.Sprintf("net.ipv%d.conf.%s.%s", family, strings.ReplaceAll(link, ".", "/"), name)
}

// number is a sysctl as a number, 0 if it was not read.
func number(n *state.Namespace, key string) int {
	value := 0
	fmt.Sscan(sysctl(n, key), &value)
	return value
}

// strongest is the greater of a sysctl's values for an interface and for all, which IPv4 applies (IN_DEV_MAXCONF,
// include/linux/inetdevice.h).
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

// usable reports whether an address can be a source address and is answered for.
func usable(a state.Address) bool {
	return !has(a.Flags, "dadfailed") && (!has(a.Flags, "tentative") || has(a.Flags, "optimistic"))
}

// covered is the network of an address; with a peer, that of the peer.
func covered(a state.Address) netip.Prefix {
	if a.Peer.IsValid() {
		return a.Peer.Masked()
	}
	return a.Prefix.Masked()
}

func covers(a state.Address, addr netip.Addr) bool { return covered(a).Contains(addr.WithZone("")) }

// addresses are the addresses of a family on a link, without IPv6 link-local ones.
func addresses(l *state.Link, family int) (found []state.Address) {
	for _, a := range l.Addresses {
		if familyOf(a.Prefix.Addr()) == family && !(family == 6 && a.Prefix.Addr().IsLinkLocalUnicast()) {
			found = append(found, a)
		}
	}
	return found
}

// ordinary are the links of a namespace other than its loopback and untouched fallback tunnels, which the kernel
// creates with some modules.
func ordinary(n *state.Namespace) (links []*state.Link) {
	for i := range n.Links {
		l := &n.Links[i]
		if l.Name == "lo" || l.Fallback() {
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

// owned are all links with an address, in all namespaces.
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

// below is the lower device of a VLAN, macvlan or the like, or the peer of a veth; nil if there is none or it is
// outside the state.
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

// lowest is the lowest device under a link: all upper devices of one may share its MAC address.
func (w *walk) lowest(at port) port {
	for range 8 { // MAX_NEST_DEV, include/linux/netdevice.h
		if lower := w.below(at.l); lower != nil && at.l.Kind != "veth" {
			at = *lower
		}
	}
	return at
}

// above are the VLANs, macvlans and ipvlans on a link; not the ipvlans that route, which receive no frames of the
// segment.
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
