package state

import (
	"fmt"
	"slices"
	"strings"
)

// DiffFilters lists the changes of the packet filters between two states, as Diff does for the rest. Both must have
// been read with them; handles of rules are ignored.
//
//	testns: table inet filter appeared
//	testns: inet filter input: policy accept, then drop
//	testns: inet filter input: rule "tcp dport 80 accept" appeared
func DiffFilters(before, after *State) []string {
	var found []Difference
	for i := range after.Namespaces {
		now := &after.Namespaces[i]
		old := before.Namespace(now.Name)
		if old == nil {
			continue // the namespace itself is new
		}
		t := teller{found: &found}.namespace(now.Name)
		t.tables(old.Filters, now.Filters)
		t.about("iptables-legacy").tables(old.LegacyFilters, now.LegacyFilters)
	}
	return texts(found)
}

// tables compares tables of packet filters.
func (t teller) tables(a, b []FilterTable) {
	name := func(f FilterTable) string { return f.Family + " " + f.Name }
	t.onlyOne("table ", names(a, name), names(b, name))
	for _, before := range a {
		i := slices.IndexFunc(b, func(f FilterTable) bool { return name(f) == name(before) })
		if i >= 0 {
			t.chains(name(before), before.Chains, b[i].Chains)
		}
	}
}

func (t teller) chains(table string, a, b []FilterChain) {
	name := func(c FilterChain) string { return table + " " + c.Name }
	t.onlyOne("chain ", names(a, name), names(b, name))
	for _, before := range a {
		i := slices.IndexFunc(b, func(c FilterChain) bool { return c.Name == before.Name })
		if i < 0 {
			continue
		}
		after, t := b[i], t.about(name(before))
		hook := func(c FilterChain) string {
			if c.Hook == "" {
				return ""
			}
			return strings.Join(append([]string{c.Type, c.Hook, fmt.Sprint(c.Priority)}, c.Devices...), " ")
		}
		t.property("hook", hook(before), hook(after))
		t.property("policy", before.Policy, after.Policy)
		t.rules(before.Rules, after.Rules)
	}
}

// rules compares the rules of a chain by their text.
func (t teller) rules(a, b []FilterRule) {
	text := func(r FilterRule) string { return fmt.Sprintf("%q", r.Text) }
	before, after := names(a, text), names(b, text)
	said := len(*t.found)
	t.onlyOne("rule ", before, after)
	if len(*t.found) == said && !slices.Equal(before, after) {
		t.tell("rules", "the rules have another order")
	}
}

func names[T any](all []T, name func(T) string) []string {
	of := make([]string, len(all))
	for i, one := range all {
		of[i] = name(one)
	}
	return of
}

// onlyOne tells what is on one side only; the same thing may be on a side several times.
func (t teller) onlyOne(kind string, a, b []string) {
	left := slices.Clone(b)
	for _, one := range a {
		if i := slices.Index(left, one); i >= 0 {
			left = slices.Delete(left, i, i+1)
			continue
		}
		t.tell("", t.only(kind+one, true))
	}
	for _, one := range left {
		t.tell("", t.only(kind+one, false))
	}
}
