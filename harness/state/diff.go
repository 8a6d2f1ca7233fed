package state

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// Diff lists the changes between two states, one short sentence each, in a fixed order: first the namespaces, then for
// each namespace its interfaces, routes, rules, neighbours and so on:
//
//	testns: interface eth0 appeared
//	testns: eth0: MTU 1500, then 1400
//	prodns: route 10.0.0.0/8 via 10.0.0.1 dev x disappeared
//
// Counters, remaining lifetimes, default queueing disciplines, namespace ids and inodes are ignored; an interface that
// exists on one side only gives a single sentence. To compare configurations, compare the normal forms.
func Diff(before, after *State) []string {
	return texts(compare(before, after, wording{}))
}

// Differences is Diff for programs: each change with what it is about.
func Differences(before, after *State) []Difference {
	return compare(before, after, wording{})
}

// Difference is one difference between two states.
type Difference struct {
	Text string // the sentence of Diff
	// Netns is the namespace of what changed; "" if a namespace appeared or disappeared. Link is the link if a property
	// or an address of it changed.
	Netns, Link string
	// Before and After are the thing on both sides, nil where it is not: a Namespace, Link, Address, Route,
	// NexthopObject, Rule, Neighbour, FDBEntry, Qdisc, TCFilter, Sysctl or Listener.
	Before, After any
	// Property is the name of what changed in a thing that is on both sides, "" if the thing itself is on one side only.
	// Up is whether a link is up.
	Property string
}

// Up is the property of a link that is switched on or off.
const Up = "up or down"

// InLink lists the differences between two links in the words of Diff, of a link that is now in a namespace.
func InLink(netns string, before, after *Link) []Difference {
	var found []Difference
	t := teller{netns: netns, subject: netns + ": ", found: &found}
	compareLinks(t.link(after.Name), before, after)
	return found
}

// InNamespace lists the differences between two namespaces in the words of Diff.
func InNamespace(before, after *Namespace) []Difference {
	var found []Difference
	compareNamespaces(teller{found: &found}.namespace(after.Name), before, after)
	return found
}

func texts(found []Difference) []string {
	var all []string
	for _, d := range found {
		all = append(all, d.Text)
	}
	return all
}

// Compare is Diff for two states of the same time, each with a label: `testns: interface eth0 only with netlink`,
// `testns: eth0: MTU 1500 with iproute2, 1400 with netlink`.
func Compare(a, b *State, labelA, labelB string) []string {
	return texts(compare(a, b, wording{labelA, labelB}))
}

// wording are the labels of the two sides; if they are empty, differences are phrased as before and after.
type wording struct{ a, b string }

// only is the sentence for a thing that exists on one side only.
func (w wording) only(thing string, inA bool) string {
	switch {
	case w == wording{} && inA:
		return thing + " disappeared"
	case w == wording{}:
		return thing + " appeared"
	case inA:
		return thing + " only with " + w.a
	}
	return thing + " only with " + w.b
}

// changed is the sentence for a property with two values.
func (w wording) changed(property, a, b string) string {
	if property != "" {
		property += " "
	}
	if w == (wording{}) {
		return fmt.Sprintf("%s%s, then %s", property, orNone(a), orNone(b))
	}
	return fmt.Sprintf("%s%s with %s, %s with %s", property, orNone(a), w.a, orNone(b), w.b)
}

func orNone(value string) string {
	if value == "" {
		return "none"
	}
	return value
}

// teller collects differences; subject is the prefix of their sentences, the rest is what they are about.
type teller struct {
	wording
	subject       string
	netns, of     string
	before, after any
	found         *[]Difference
}

// about is the teller for a part of the subject.
func (t teller) about(part string) teller {
	t.subject += part + ": "
	return t
}

// namespace is the teller for a namespace, link the one for a link in it.
func (t teller) namespace(name string) teller {
	t.netns = name
	return t.about(name)
}

func (t teller) link(name string) teller {
	t.of = name
	return t.about(name)
}

// pair is the teller for the properties of a thing on both sides.
func (t teller) pair(before, after any) teller {
	t.before, t.after = before, after
	return t
}

func (t teller) tell(property, sentence string) {
	*t.found = append(*t.found, Difference{Text: t.subject + sentence, Netns: t.netns, Link: t.of,
		Before: t.before, After: t.after, Property: property})
}

func (t teller) property(name, a, b string) {
	if a != b {
		t.tell(name, t.changed(name, a, b))
	}
}

// match calls both for each pair of things with the same key, and reports all others as existing on one side only:
// first in the order of a, then those only b has. Of several things with the same key, the first is paired with the
// first.
func match[T any](t teller, a, b []T, key func(T) string, both func(t teller, a, b T)) {
	rest := map[string][]T{}
	for _, thing := range b {
		rest[key(thing)] = append(rest[key(thing)], thing)
	}
	for _, thing := range a {
		k := key(thing)
		if len(rest[k]) == 0 {
			t.pair(thing, nil).tell("", t.only(k, true))
			continue
		}
		if both != nil {
			both(t.pair(thing, rest[k][0]), thing, rest[k][0])
		}
		rest[k] = rest[k][1:]
	}
	// The last ones of each key in b are left.
	var left []T
	for _, thing := range slices.Backward(b) {
		if k := key(thing); len(rest[k]) > 0 {
			rest[k] = rest[k][1:]
			left = append(left, thing)
		}
	}
	for _, thing := range slices.Backward(left) {
		t.pair(nil, thing).tell("", t.only(key(thing), false))
	}
}

func compare(a, b *State, w wording) []Difference {
	var found []Difference
	t := teller{wording: w, found: &found}
	match(t, a.ordered(), b.ordered(), func(n *Namespace) string { return "namespace " + n.Name }, nil)
	for _, n := range a.ordered() {
		// Most namespaces have not changed, and to find that out does not take the words for all that is in them.
		if other := b.Namespace(n.Name); other != nil && !reflect.DeepEqual(n, other) {
			compareNamespaces(t.namespace(n.Name), n, other)
		}
	}
	return found
}

func (s *State) ordered() []*Namespace {
	var all []*Namespace
	for i := range s.Namespaces {
		all = append(all, &s.Namespaces[i])
	}
	slices.SortFunc(all, func(a, b *Namespace) int { return compareNames(a.Name, b.Name) })
	return all
}

func compareNamespaces(t teller, a, b *Namespace) {
	match(t, a.Links, b.Links, func(l Link) string { return "interface " + l.Name }, nil)
	for i := range a.Links {
		if other := linkNamed(b, a.Links[i].Name); other != nil {
			compareLinks(t.link(a.Links[i].Name), &a.Links[i], other)
		}
	}
	match(t, a.Routes, b.Routes, routeKey, func(t teller, a, b Route) {
		t.about(routeKey(a)).property("flags", hopFlags(a), hopFlags(b))
	})
	match(t, a.NexthopObjects, b.NexthopObjects, objectKey, func(t teller, a, b NexthopObject) {
		t.about(objectKey(a)).property("flags", flagsOf(a.Nexthop), flagsOf(b.Nexthop))
	})
	match(t, a.Rules, b.Rules, ruleKey, nil)
	match(t, a.Neighbours, b.Neighbours, neighbourKey, func(t teller, a, b Neighbour) {
		about := t.about(neighbourKey(a))
		about.property("MAC address", a.MAC, b.MAC)
		if a.State != b.State {
			about.tell("state", about.changed("", a.State, b.State))
		}
		about.property("router", yes(a.Router), yes(b.Router))
	})
	match(t, a.FDB, b.FDB, func(e FDBEntry) string { return "forwarding entry " + FDBText(e) }, nil)
	match(t, set(a.Qdiscs), set(b.Qdiscs), QdiscText, nil)
	match(t, a.TCFilters, b.TCFilters, TCFilterText, nil)
	compareSysctls(t, a, b)
	match(t, a.Listeners, b.Listeners, func(l Listener) string {
		return fmt.Sprintf("%s listener %s port %d", l.Proto, l.Addr, l.Port)
	}, nil)
}

// linkNamed finds a link by its name, not by alternative names.
func linkNamed(n *Namespace, name string) *Link {
	if i := slices.IndexFunc(n.Links, func(l Link) bool { return l.Name == name }); i >= 0 {
		return &n.Links[i]
	}
	return nil
}

func yes(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

// routeKey is the route without the flags that follow carrier.
func routeKey(r Route) string {
	family := ""
	if r.Family == 6 && !r.To.Addr().Is6() {
		family = "IPv6 "
	}
	return family + "route " + RouteText(normalRoute(r))
}

// objectKey is a nexthop object without the flags that follow carrier.
func objectKey(o NexthopObject) string { return "nexthop object " + NexthopObjectText(normalObject(o)) }

// hopFlags are the flags that routeKey leaves out, in the order of the next hops.
func hopFlags(r Route) string { return flagsOf(r.Nexthops...) }

// flagsOf are the flags of next hops that the kernel sets.
func flagsOf(hops ...Nexthop) string {
	var flags []string
	for _, h := range hops {
		for _, f := range h.Flags {
			if setByKernel(f) {
				flags = append(flags, f)
			}
		}
	}
	return strings.Join(flags, " ")
}

func ruleKey(r Rule) string {
	if r.Family == 6 {
		return "IPv6 rule " + RuleText(r)
	}
	return "rule " + RuleText(r)
}

func neighbourKey(n Neighbour) string {
	return words("neighbour", when(n.Proxy, "proxy"), n.Addr.String(), option("dev", n.Dev))
}

// set are the configured queueing disciplines.
func set(all []Qdisc) []Qdisc {
	return slices.DeleteFunc(slices.Clone(all), func(q Qdisc) bool { return q.Default })
}

// compareSysctls ignores the sysctls of interfaces that exist on one side only.
func compareSysctls(t teller, a, b *Namespace) {
	shared := func(s Sysctl, other *Namespace) bool {
		parts := strings.SplitN(s.Key, ".", 5) // net.ipv4.conf.IFACE.what
		return len(parts) < 5 || parts[2] != "conf" || slices.ContainsFunc(other.Sysctls, func(o Sysctl) bool {
			return o.Key == s.Key
		}) ||
			linkNamed(other, strings.ReplaceAll(parts[3], "/", ".")) != nil
	}
	pick := func(n, other *Namespace) []Sysctl {
		return slices.DeleteFunc(slices.Clone(n.Sysctls), func(s Sysctl) bool { return !shared(s, other) })
	}
	match(t, pick(a, b), pick(b, a), func(s Sysctl) string { return "sysctl " + s.Key }, func(t teller, a, b Sysctl) {
		t.property("sysctl "+a.Key, a.Value, b.Value)
	})
}
