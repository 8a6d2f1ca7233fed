// Package words writes the commands of a repair and the lines of evidence, quoted for a shell. It imports only state
// and the facts; the packages of the diagnosis import it. It never runs a command.
package words

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"netnscheck/harness/state"
)

func Addr(a netip.Addr) string {
	if !a.IsValid() {
		return ""
	}
	return a.WithZone("").String()
}

// IP is an ip command in a namespace, quoted for a shell.
func IP(n *state.Namespace, format string, args ...any) string {
	return ipIn(n.Name, format, args...)
}

func ipIn(ns, format string, args ...any) string {
	if options, found := strings.CutPrefix(format, "link set %s"); found && isOption(fmt.Sprint(args[0])) {
		format = "link set dev %s" + options
	}
	command := written(format, args)
	if enter := entering(ns); enter != "" || ns == state.Host {
		return enter + "ip " + command
	}
	return "ip -n " + Quoted(ns) + " " + command
}

// NetnsName is a namespace in the form ip takes after the word netns: its name, or the id of a process in it. The host
// has no name, and its processes are not known: PID is to be filled in.
func NetnsName(name string) string {
	if name == state.Host {
		return "PID"
	}
	return Quoted(strings.TrimPrefix(name, "pid:"))
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

// entering is what goes before a command to run it in a namespace that has no name for ip netns, "" for others.
func entering(ns string) string {
	switch {
	case strings.HasPrefix(ns, "pid:"):
		return "nsenter -t " + strings.TrimPrefix(ns, "pid:") + " -n "
	case strings.HasPrefix(ns, "/"):
		return "nsenter --net=" + Quoted(ns) + " "
	}
	return ""
}

// In is any command in a namespace, quoted for a shell.
func In(n *state.Namespace, format string, args ...any) string {
	command := written(format, args)
	if enter := entering(n.Name); enter != "" || n.Name == state.Host {
		return enter + command
	}
	return "ip netns exec " + Quoted(n.Name) + " " + command
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
			words[k] = Quoted(words[k])
		}
		safe[i] = strings.Join(words, " ")
	}
	return fmt.Sprintf(format, safe...)
}

// Quoted is a word quoted for a POSIX shell. (syntax.Quote of mvdan.cc/sh refuses names with unprintable characters,
// for which a repair is printed too; a test parses the result with that package.)
func Quoted(word string) string {
	const plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_@%+=:,./-"
	if strings.Trim(word, plain) == "" {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

// Six is the -6 option, which some commands need for IPv6.
func Six(family int) string {
	if family == 6 {
		return "-6 "
	}
	return ""
}
