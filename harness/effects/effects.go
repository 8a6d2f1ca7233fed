// Package effects says which changes of a lab the commands of a section declare, and finds the changes that nothing
// declares: a program that changes more than it was told to. It is pure: the lab imports it, it imports only the values
// that it compares, and it never looks at a kernel.
package effects

import (
	"slices"
	"strings"

	"netnscheck/harness/scenario/operation"
	"netnscheck/harness/state"
)

// Undeclared are the differences between the normal forms of two states that no command declares and no text mentions.
// Commands are those that were run in between, as words, whether they succeeded or not; texts are those of checks,
// which claim what they name. Fresh is a namespace that nobody has touched, for the sysctls of new ones, or nil. Beside
// are differences that no state has.
//
// An operation declares what it is about, and what the kernel does because of that: the routes of an address, the loss
// of routes where a link goes down, the MTU of the links on top of it. A command that is no operation, such as tc, may
// change anything in the namespace that it runs in, and a program that may enter others anything at all.
func Undeclared(before, after *state.State, fresh *state.Namespace, beside []state.Difference, commands [][]string,
	texts []string) []state.Difference {
	d := newDeclared(before.Normal(), after.Normal())
	d.fresh = fresh
	d.origins = before.TellsOrigins() || after.TellsOrigins()
	for _, argv := range commands {
		d.command(argv)
	}
	if d.anything {
		return nil
	}
	d.conclude()
	for _, t := range d.links {
		d.takes = d.takes || t.loses || t.disappears
	}
	return slices.DeleteFunc(slices.Concat(d.differences(), beside), func(found state.Difference) bool {
		return d.allows(found) || mentioned(found, texts)
	})
}

// differences are those of the states, and of what is new those from what a new thing of its kind is like.
func (d *declared) differences() []state.Difference {
	found := state.Differences(d.before, d.after)
	for _, one := range slices.Clone(found) {
		switch thing := one.After.(type) {
		case *state.Namespace:
			if one.Before == nil {
				found = append(found, d.inNew(thing)...)
			}
		case state.Link:
			if one.Before == nil {
				found = append(found, d.ofNew(place{one.Netns, thing.Name}, &thing)...)
			}
		}
	}
	return found
}

// inNew are the differences of a namespace from a new one: a loopback that is down, and the rules of every namespace.
func (d *declared) inNew(n *state.Namespace) []state.Difference {
	plain := state.Namespace{Name: n.Name, Sysctls: d.asFresh(n.Sysctls)}
	for _, l := range n.Links {
		if l.Kind == "loopback" {
			l.Up, l.Addresses, l.MTU = false, nil, 65536
			plain.Links = append(plain.Links, l)
		}
	}
	for _, r := range n.Rules {
		if r.Protocol == "kernel" || r.Priority == 0 || r.Priority == 32766 || r.Priority == 32767 {
			plain.Rules = append(plain.Rules, r)
		}
	}
	found := state.InNamespace(&plain, n)
	for _, one := range slices.Clone(found) {
		if l, ok := one.After.(state.Link); ok && one.Before == nil {
			found = append(found, d.ofNew(place{n.Name, l.Name}, &l)...)
		}
	}
	return found
}

// asFresh are sysctls with the values that they have in a namespace that nobody has touched, where that has them off:
// those of the whole namespace, since a link of it need not be like one of the same name elsewhere.
func (d *declared) asFresh(all []state.Sysctl) []state.Sysctl {
	if d.fresh == nil {
		return all
	}
	plain := slices.Clone(all)
	for i := range plain {
		for _, s := range d.fresh.Sysctls {
			if s.Key == plain[i].Key && s.Value == "0" && ofNamespace(s.Key) {
				plain[i].Value = s.Value
			}
		}
	}
	return plain
}

// ofNamespace reports whether a sysctl is not that of one link.
func ofNamespace(key string) bool {
	_, of, conf := strings.Cut(key, ".conf.")
	return !conf || strings.HasPrefix(of, "all.") || strings.HasPrefix(of, "default.")
}

// ofNew are the differences of a link that appeared from what it was before it was moved or renamed, or from a new one.
func (d *declared) ofNew(at place, l *state.Link) []state.Difference {
	plain := *l
	plain.Up, plain.Addresses, plain.Master, plain.AltNames, plain.Alias = false, nil, "", nil, ""
	if slices.Contains([]string{"veth", "bridge", "dummy"}, l.Kind) {
		plain.MTU = 1500
	}
	if from, known := d.from[at]; known {
		if old := d.before.Namespace(from.netns).Link(from.link); old != nil {
			plain = *old
			plain.Name, plain.Peer, plain.Addresses = l.Name, l.Peer, relabelled(old.Addresses, old.Name, l.Name)
			if from.netns != at.netns { // it arrives down and without addresses
				plain.Up, plain.Addresses, plain.Master, plain.Port, plain.Qdisc = false, nil, "", l.Port, ""
			}
		}
	}
	return state.InLink(at.netns, &plain, l)
}

// relabelled are addresses whose labels have the new name of their link (inetdev_changename in net/ipv4/devinet.c).
func relabelled(all []state.Address, from, to string) []state.Address {
	all = slices.Clone(all)
	for i := range all {
		if name, rest, _ := strings.Cut(all[i].Label, ":"); name == from {
			all[i].Label = to
			if rest != "" {
				all[i].Label += ":" + rest
			}
		}
	}
	return all
}

// mentioned reports whether a text names what changed, and its namespace.
func mentioned(d state.Difference, texts []string) bool {
	names := namesOf(d)
	return slices.ContainsFunc(texts, func(text string) bool {
		words := strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(" `,()", r) })
		if d.Netns != state.Host && d.Netns != "" && !slices.Contains(words, d.Netns) {
			return false
		}
		if _, link := either(d).(state.Link); link && d.Property != "" &&
			!slices.ContainsFunc(strings.Fields(d.Property), func(word string) bool { return slices.Contains(words, word) }) {
			return false // another property of the link
		}
		if _, address := either(d).(state.Address); address && !slices.Contains(words, d.Link) {
			return false // the address of another link
		}
		return slices.ContainsFunc(names, func(name string) bool { return slices.Contains(words, name) })
	})
}

// namesOf are the names by which a check would speak of what changed.
func namesOf(d state.Difference) []string {
	thing := d.After
	if thing == nil {
		thing = d.Before
	}
	switch thing := thing.(type) {
	case *state.Namespace:
		return []string{thing.Name}
	case state.Link:
		return []string{thing.Name}
	case state.Address:
		return []string{thing.Prefix.String(), thing.Prefix.Addr().String()}
	case state.Route:
		if thing.To.Bits() == 0 {
			return []string{"default", thing.To.String()}
		}
		return []string{thing.To.String(), thing.To.Addr().String()}
	case state.Neighbour:
		return []string{thing.Addr.String()}
	case state.FDBEntry:
		return []string{thing.MAC}
	case state.Sysctl:
		return []string{thing.Key}
	case File:
		return []string{thing.Path}
	}
	return nil
}

// devices are the links that a thing which belongs to links is about.
func devices(thing any) (names []string) {
	add := func(name string) {
		if name != "" {
			names = append(names, name)
		}
	}
	switch thing := thing.(type) {
	case state.Route:
		for _, hop := range thing.Nexthops {
			add(hop.Dev)
		}
	case state.NexthopObject:
		add(thing.Dev)
	case state.Neighbour:
		add(thing.Dev)
	case state.FDBEntry:
		add(thing.Dev)
		add(thing.Master)
	case state.Qdisc:
		add(thing.Dev)
	case state.TCFilter:
		add(thing.Dev)
	case state.Rule:
		add(thing.IIf)
		add(thing.OIf)
	}
	return names
}

// File is a file that belongs to the name of a namespace: in /run/netns, or below /etc/netns.
type File struct{ Path string }

// namesDir is where the names of namespaces are (ip-netns(8)).
const namesDir = "/run/netns/"

// FileOf is the file in /run/netns with this name.
func FileOf(name string) File { return File{namesDir + name} }

// Offloads is the property of a link whose offloads were switched.
const Offloads = "offloads"

// confined are the programs that act on nothing but the namespace that they run in.
var confined = strings.Fields("tc bridge nft ethtool iptables ip6tables iptables-nft ip6tables-nft ipset arping " +
	"tcpdump nc ss nstat cat echo grep true false arp conntrack")

// elsewhere are the objects of ip that reach other namespaces, in forms that are no operation.
var elsewhere = []string{"netns", "link", "vrf", ""}

// command notes what a command declares.
func (d *declared) command(argv []string) {
	c, err := operation.Parse(argv)
	if err == nil {
		if run, ok := c.Op.(operation.Run); ok {
			d.program(c.Netns, run.Argv)
			return
		}
		d.operation(c.Netns, c.Op)
		return
	}
	netns, words := operation.Enter(argv)
	d.program(netns, words)
}

// program notes a command that is no operation.
func (d *declared) program(netns string, words []string) {
	name := ""
	if len(words) > 0 {
		name = words[0][strings.LastIndex(words[0], "/")+1:]
	}
	free := slices.Contains(confined, name)
	if name == "bridge" || name == "tc" {
		for i, word := range words[:len(words)-1] {
			if slices.Contains([]string{"-n", "-net", "-netns"}, word) {
				netns = words[i+1]
			}
		}
	}
	if name == "ip" {
		object, _, _ := operation.Subject(words)
		free = !slices.Contains(elsewhere, object)
	}
	if !free {
		d.anything = true
	}
	d.free[named(netns)] = true
}

// named is the name of a namespace in a state.
func named(netns string) string {
	if netns == "" {
		return state.Host
	}
	return netns
}
