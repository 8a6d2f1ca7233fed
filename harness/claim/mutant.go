package claim

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"netnscheck/harness/state"
)

// Mutants are ways to break a lab so that a true claim becomes false, the most significant first. `make mutants` tries
// them on every check of the catalogue.
type Mutants struct {
	// Own change what the claim is about.
	Own []Way
	// Gone remove its subject, which makes a negative claim false too.
	Gone []Way
}

// Way is one way to break a lab.
type Way struct {
	Name string
	// Commands are made from the state in which the claim is true. No commands mean that the way does not apply. A
	// command that begins with - may be refused.
	Commands func(*state.State) []string
}

// by is a way that does not depend on the state.
func by(lines ...string) Way {
	return Way{Name: strings.Join(lines, "; "), Commands: func(*state.State) []string { return lines }}
}

const subjectGone = "its subject removed"

// without are the ways to remove an interface or its namespace.
func without(i Iface) []Way {
	return append([]Way{gone(in(i.Netns, "link del %s", i.Name))}, withoutNetns(i.Netns)...)
}

func withoutNetns(netns string) []Way { return []Way{gone("ip netns del " + netns)} }

func gone(lines ...string) Way {
	return Way{Name: subjectGone, Commands: func(*state.State) []string { return lines }}
}

// in is an ip command in a namespace.
func in(netns, format string, args ...any) string {
	cmd := fmt.Sprintf(format, args...)
	if netns == state.Host {
		return "ip " + cmd
	}
	return "ip -n " + netns + " " + cmd
}

// execIn is any command in a namespace.
func execIn(netns, format string, args ...any) string {
	cmd := fmt.Sprintf(format, args...)
	if netns == state.Host {
		return cmd
	}
	return "ip netns exec " + netns + " " + cmd
}

// eachLink are commands for each link of a namespace, any of which may be refused.
func eachLink(s *state.State, ns, format string) (lines []string) {
	n := s.Namespace(ns)
	if n == nil {
		return nil
	}
	for _, l := range n.Links {
		lines = append(lines, "-"+in(ns, format, l.Name))
	}
	return lines
}

func allDown(ns string) Way {
	return Way{
		Name:     "all links down",
		Commands: func(s *state.State) []string { return eachLink(s, ns, "link set %s down") },
	}
}

// killed kills the programs in a namespace.
func killed(ns string) Way {
	return by(execIn(ns, "sh -c '%s'", `n=$(readlink /proc/self/ns/net); for p in /proc/[0-9]*; do `+
		`test "$(readlink $p/ns/net)" = $n && test $p != /proc/$$ && kill ${p#/proc/}; done; true`))
}

func flushed(ns string) Way {
	return Way{
		Name:     "all addresses flushed",
		Commands: func(s *state.State) []string { return eachLink(s, ns, "addr flush dev %s") },
	}
}

// divert prohibits packets to an address by a policy rule before all others but that of the table local.
func divert(ns string, dest netip.Addr) Way {
	return by(family(dest, ns, "rule add to %s prohibit priority 0", dest.WithZone("")))
}

func family(addr netip.Addr, ns, format string, args ...any) string {
	return in(ns, word(addr.Is6(), "-6 ", "")+format, args...)
}

// own adds an address to a namespace itself, so that it reaches it. The second way also removes whatever could stop its
// packets.
func own(ns string, dest netip.Addr) [][]string {
	bits := strconv.Itoa(dest.BitLen())
	take := []string{"-" + execIn(ns, "sysctl -w net.ipv6.conf.all.disable_ipv6=0"), in(ns, "link set lo up"),
		"-" + in(ns, "addr add %s/%s dev lo%s", dest.WithZone(""), bits, word(dest.Is6(), " nodad", ""))}
	if zone := dest.Zone(); zone != "" {
		take = []string{in(ns, "link set %s up", zone), in(ns, "addr add %s/64 dev %s nodad", dest.WithZone(""), zone)}
	}
	open := append(
		[]string{execIn(ns, "nft flush ruleset"), "-" + execIn(ns, "sysctl -w net.ipv4.icmp_echo_ignore_all=0")},
		take...)
	return [][]string{take, open}
}

// cutOff keeps a namespace from reaching an address.
func cutOff(ns string, dest netip.Addr) []Way {
	return []Way{
		by(in(ns, "route replace prohibit %s", dest.WithZone(""))),
		divert(ns, dest),
		by(in(ns, "link set lo down")),
		by(in(ns, "link set %s down", dest.Zone())),
	}
}
