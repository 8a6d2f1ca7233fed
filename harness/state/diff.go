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
	return compare(before, after, wording{})
}

// Compare is Diff for two states of the same time, each with a label: `testns: interface eth0 only with netlink`,
// `testns: eth0: MTU 1500 with iproute2, 1400 with netlink`.
func Compare(a, b *State, labelA, labelB string) []string {
	return compare(a, b, wording{labelA, labelB})
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

// teller collects sentences; subject is the prefix of each of them.
type teller struct {
	wording
	subject   string
	sentences *[]string
}

// about is the teller for a part of the subject.
func (t teller) about(part string) teller {
	t.subject += part + ": "
	return t
}

func (t teller) tell(sentence string) { *t.sentences = append(*t.sentences, t.subject+sentence) }

func (t teller) property(name, a, b string) {
	if a != b {
		t.tell(t.changed(name, a, b))
	}
}

// match calls both for each pair of things with the same key, and reports all others as existing on one side only:
// first in the order of a, then those only b has. Of several things with the same key, the first is paired with the
// first.
func match[T any](t teller, a, b []T, key func(T) string, both func(a, b T)) {
	rest := map[string][]T{}
	for _, thing := range b {
		rest[key(thing)] = append(rest[key(thing)], thing)
	}
	for _, thing := range a {
		k := key(thing)
		if len(rest[k]) == 0 {
			t.tell(t.only(k, true))
			continue
		}
		if both != nil {
			both(thing, rest[k][0])
		}
		rest[k] = rest[k][1:]
	}
	// The last ones of each key in b are left.
	var left []string
	for i := len(b) - 1; i >= 0; i-- {
		if k := key(b[i]); len(rest[k]) > 0 {
			rest[k] = rest[k][1:]
			left = append(left, k)
		}
	}
	for _, k := range slices.Backward(left) {
		t.tell(t.only(k, false))
	}
}

func compare(a, b *State, w wording) []string {
	var sentences []string
	t := teller{wording: w, sentences: &sentences}
	match(t, a.ordered(), b.ordered(), func(n *Namespace) string { return "namespace " + n.Name }, nil)
	for _, n := range a.ordered() {
		// Most namespaces have not changed, and to find that out does not take the words for all that is in them.
		if other := b.Namespace(n.Name); other != nil && !reflect.DeepEqual(n, other) {
			compareNamespaces(t.about(n.Name), n, other)
		}
	}
	return sentences
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
			compareLinks(t.about(a.Links[i].Name), &a.Links[i], other)
		}
	}
	match(t, a.Routes, b.Routes, routeKey, func(a, b Route) {
		t.about(routeKey(a)).property("flags", hopFlags(a), hopFlags(b))
	})
	match(t, a.NexthopObjects, b.NexthopObjects, objectKey, func(a, b NexthopObject) {
		t.about(objectKey(a)).property("flags", flagsOf(a.Nexthop), flagsOf(b.Nexthop))
	})
	match(t, a.Rules, b.Rules, ruleKey, nil)
	match(t, a.Neighbours, b.Neighbours, neighbourKey, func(a, b Neighbour) {
		about := t.about(neighbourKey(a))
		about.property("MAC address", a.MAC, b.MAC)
		about.property("", a.State, b.State)
		about.property("router", yes(a.Router), yes(b.Router))
	})
	match(t, a.FDB, b.FDB, func(e FDBEntry) string { return "forwarding entry " + FDBText(e) }, nil)
	match(t, set(a.Qdiscs), set(b.Qdiscs), QdiscText, nil)
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
	match(t, pick(a, b), pick(b, a), func(s Sysctl) string { return "sysctl " + s.Key }, func(a, b Sysctl) {
		t.property("sysctl "+a.Key, a.Value, b.Value)
	})
}
