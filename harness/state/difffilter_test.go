package state

import (
	"strings"
	"testing"
)

func TestDiffFilters(t *testing.T) {
	rules := func(texts ...string) (all []FilterRule) {
		for i, text := range texts {
			all = append(all, FilterRule{Handle: uint64(i), Text: text})
		}
		return all
	}
	with := func(tables ...FilterTable) *State {
		return &State{Namespaces: []Namespace{{Name: Host}, {Name: "a", Filters: tables}}}
	}
	input := func(policy string, rules []FilterRule) FilterTable {
		return FilterTable{Family: "inet", Name: "f",
			Chains: []FilterChain{{Name: "input", Type: "filter", Hook: "input",
				Policy: policy, Rules: rules}}}
	}
	for _, c := range []struct {
		name          string
		before, after *State
		want          string
	}{
		{"nothing", with(), with(), ""},
		{"the same", with(input("drop", rules("x", "y"))), with(input("drop", rules("x", "y"))), ""},
		{"a table", with(), with(input("drop", nil)), "a: table inet f appeared"},
		{"no table", with(input("drop", nil)), with(), "a: table inet f disappeared"},
		{"a chain", with(FilterTable{Family: "inet", Name: "f"}), with(input("drop", nil)),
			"a: chain inet f input appeared"},
		{"a policy", with(input("accept", nil)), with(input("drop", nil)), "a: inet f input: policy accept, then drop"},
		{"rules", with(input("drop", rules("x", "y"))), with(input("drop", rules("y", "y", "z"))),
			`a: inet f input: rule "x" disappeared|a: inet f input: rule "y" appeared|a: inet f input: rule "z" appeared`},
		{"their order", with(input("drop", rules("x", "y"))), with(input("drop", rules("y", "x"))),
			"a: inet f input: the rules have another order"},
		{"a new namespace", &State{Namespaces: []Namespace{{Name: Host}}}, with(input("drop", nil)), ""},
	} {
		if got := strings.Join(DiffFilters(c.before, c.after), "|"); got != c.want {
			t.Errorf("%s: got %s", c.name, got)
		}
	}
}
