package claim

import (
	"fmt"
	"slices"
	"strings"

	"netnscheck/harness/state"
)

// HasOnlyInterfaces is `N` has only the interfaces `X`, `Y`.
type HasOnlyInterfaces struct {
	Netns string
	Names []string
}

func init() {
	add(Entry{
		Place: 30,
		Means: "the exact set, but for the fallback tunnels that some modules put into every namespace (" +
			strings.Join(state.FallbackTunnels, ", ") + "), as long as nobody touches them",
		Forms: []Form{
			says("`N` has only the interfaces `X` …", func(a arguments) Claim {
				return HasOnlyInterfaces{Netns: a.text(0), Names: a.texts(1)}
			}),
		},
	})
}

func (c HasOnlyInterfaces) Sentence() string {
	names := make([]string, len(c.Names))
	for i, name := range c.Names {
		names[i] = Span(name)
	}
	return say("%s has only the interfaces ", c.Netns) + strings.Join(names, ", ")
}

func (c HasOnlyInterfaces) consistent() error {
	for i, name := range c.Names {
		if slices.Contains(c.Names[:i], name) {
			return fmt.Errorf("the interface %s is named twice", name)
		}
	}
	return nil
}

func (c HasOnlyInterfaces) Needs() Needs { return stateOnly() }

func (c HasOnlyInterfaces) Judge(known Evidence) Finding {
	return known.ofNamespace(c.Netns, func(n *state.Namespace) Finding {
		var have []string
		missing := slices.Clone(c.Names)
		extra := false
		for i := range n.Links {
			l := &n.Links[i]
			named := slices.IndexFunc(missing, func(name string) bool { return n.Link(name) == l })
			switch {
			case named >= 0:
				missing = slices.Delete(missing, named, named+1)
			case l.Fallback():
				continue
			default:
				extra = true
			}
			have = append(have, l.Name)
		}
		return finding(len(missing) == 0 && !extra, "its interfaces: "+strings.Join(have, ", "))
	})
}

func (c HasOnlyInterfaces) Mutants() Mutants {
	return Mutants{
		Own: []Way{by(in(c.Netns, "link add extra type bridge")), by(in(c.Netns, "link add extra type veth"))},
	}
}
