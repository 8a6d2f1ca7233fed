package rtnetlink

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"

	"netnscheck/harness/internal/netns"
	"netnscheck/harness/internal/observe"
	"netnscheck/harness/scenario/operation"
	"netnscheck/harness/state"
)

// shown are the supported objects and verbs.
var shown = map[string][]string{
	"link": {"show"}, "address": {"show"}, "route": {"show", "get"}, "rule": {"show"}, "neighbour": {"show", "get"},
	"netns": {"list", "list-id", "identify", "pids"}, "nexthop": {"show", "get", "bucket"}, "maddress": {"show"},
	"token": {"show", "get"}, "tuntap": {"show"}, "tunnel": {"show"}, "addrlabel": {"show"}, "ntable": {"show"},
	"netconf": {"show"}, "stats": {"show"}, "mrule": {"show"}, "mroute": {"show"}, "vrf": {"show"},
}

// showable reports whether the driver supports the command: nil or a *scenario.CannotSay.
func showable(op operation.Show) error {
	verbs, known := shown[op.Object]
	if !known {
		return cannotSay(op.Object)
	}
	if !slices.Contains(verbs, op.Verb) {
		return cannotSay(op.Object + " " + op.Verb)
	}
	if op.Object == "mroute" && len(op.Args) > 0 { // the kernel refuses a table that does not exist
		return cannotSay(op.Args[0])
	}
	if op.Verb == "get" && op.Object != "nexthop" && op.Object != "token" {
		_, err := parseGet(op)
		return err
	}
	return nil
}

// show is an `ip` command that changes nothing. Where it names a device or a table, or asks for one entry, the kernel
// is asked first, since it may refuse; the output comes from a snapshot. Unknown filters are ignored, so the output may
// be longer than iproute2's, and what a State does not have, such as address labels, is not printed.
func show(ctx context.Context, w *netns.World, c operation.Command, op operation.Show) (string, error) {
	s, err := dial(w, c.Netns)
	if err != nil {
		return "", err
	}
	defer s.close()
	if op.Object == "nexthop" {
		return s.showNexthops(op)
	}
	if op.Verb == "get" && op.Object != "token" {
		return s.get(op)
	}
	f, err := readFilter(op)
	if err != nil {
		return "", err
	}
	if op.Object == "vrf" && len(op.Args) > 0 {
		if _, err := s.vrfTable(op.Args[len(op.Args)-1]); err != nil {
			return "", err
		}
	}
	if op.Object != "netns" && op.Object != "maddress" {
		if err := s.exists(op, f); err != nil {
			return "", err
		}
	}
	if op.Object == "netns" && op.Verb == "list-id" {
		if err := s.knowsIDs(op.Args); err != nil {
			return "", err
		}
	}
	snapshot, err := observe.Lab(ctx, w, observe.Options{})
	if err != nil {
		return "", err
	}
	ns := c.Netns
	if ns == "" {
		ns = netns.Host
	}
	here := snapshot.Namespace(ns)
	if here == nil {
		return "", fmt.Errorf("show %s: namespace %s is gone", op.Object, ns)
	}
	if op.Object == "netns" {
		return showNetns(w, snapshot, here, op)
	}
	return f.text(op.Object, here), nil
}

// exists asks the kernel for the device and the table that a command names.
func (s *session) exists(op operation.Show, f filter) error {
	if _, err := s.optionalIndex(f.dev); err != nil {
		if op.Object == "route" || op.Object == "neighbour" {
			return err
		}
		return &Refused{Errno: unix.ENODEV, Status: 1, Message: fmt.Sprintf("Device %q does not exist.", f.dev)}
	}
	if op.Object != "route" || f.table == "" || f.table == "all" {
		return nil
	}
	table, err := s.table(f.table)
	if err != nil {
		return err
	}
	_, err = s.dump(unix.RTM_GETROUTE, unix.RTM_NEWROUTE,
		func() nl.NetlinkRequestData { return &nl.RtMsg{RtMsg: unix.RtMsg{Family: uint8(f.family())}} },
		func(m message) { m.put(unix.RTA_TABLE, nl.Uint32Attr(table)) })
	return err
}

// filter selects the entries to show.
type filter struct {
	v6         bool
	dev, table string
	up         bool
}

func (f filter) family() int {
	if f.v6 {
		return unix.AF_INET6
	}
	return unix.AF_INET
}

// valued are the words of `ip … show` that take a value.
var valued = strings.Fields(
	`dev to scope label type master vrf group table protocol proto via src from nud root match exact metric
	tos dsfield oif iif pref priority target-nsid`)

// readFilter reads the words after show. In `ip link` and `ip address` the device may come without dev.
func readFilter(op operation.Show) (filter, error) {
	f := filter{v6: slices.Contains(op.Options, "-6")}
	for i := 0; i < len(op.Args); i++ {
		word, value := op.Args[i], ""
		if slices.Contains(valued, word) && i+1 < len(op.Args) {
			i++
			value = op.Args[i]
		}
		switch word {
		case "dev", "oif":
			f.dev = value
		case "table":
			f.table = value
		case "up":
			f.up = true
		default:
			if value != "" || op.Object != "link" && op.Object != "address" || slices.Contains(addressWords, word) {
				continue
			}
			if f.dev != "" {
				return f, wrong("either \"dev\" is duplicate, or %q is a garbage", word)
			}
			f.dev = word
		}
	}
	return f, nil
}

// addressWords are the words of `ip link show` and `ip address show` that take no value.
var addressWords = strings.Fields(
	`dynamic permanent tentative deprecated dadfailed temporary primary secondary novf nomaster
	-dynamic -permanent -tentative -deprecated -dadfailed -temporary -primary -secondary mngtmpaddr home
	nodad noprefixroute autojoin`)

func (f filter) text(object string, ns *state.Namespace) string {
	var text strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&text, format+"\n", args...) }
	dev := ""
	if f.dev != "" {
		if l := ns.Link(f.dev); l != nil {
			dev = l.Name
		}
	}
	switch object {
	case "link", "address", "tuntap":
		for _, l := range ns.Links {
			if f.dev != "" && l.Name != dev || f.up && !l.Up {
				continue
			}
			if object == "tuntap" && l.Kind != "tun" {
				continue
			}
			line("%s", state.LinkText(l))
			if object == "link" {
				line("    %s %s brd %s", l.Kind, l.MAC, l.Broadcast)
				continue
			}
			for _, a := range l.Addresses {
				line("    %s", state.AddressText(a))
			}
		}
	case "route":
		table, _ := state.TableID(f.table)
		if f.table == "" {
			table, _ = state.TableID("main")
		}
		for _, r := range ns.Routes {
			leadsOut := f.dev == "" || slices.ContainsFunc(r.Nexthops, func(n state.Nexthop) bool {
				return n.Dev == dev
			})
			if (r.Family == 6) == f.v6 && leadsOut && (f.table == "all" || r.Table == table) {
				line("%s", state.RouteText(r))
			}
		}
	case "rule":
		for _, r := range ns.Rules {
			if (r.Family == 6) == f.v6 {
				line("%s", state.RuleText(r))
			}
		}
	case "neighbour":
		for _, n := range ns.Neighbours {
			if f.dev == "" || n.Dev == dev {
				line("%s", state.NeighbourText(n))
			}
		}
	}
	return text.String()
}
