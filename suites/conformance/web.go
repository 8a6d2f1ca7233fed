package conformance

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"netnscheck/harness/scenario"
)

// web is a set of namespaces, the host among them, with a veth pair between any two: the expected state while one after
// another ends.
type web struct {
	namespaces []string // without the host
	pairs      []pair
}

// pair is a veth pair, by the namespaces of its ends. An end is named after the namespace to which it leads.
type pair struct{ one, other string }

// newWeb is the web of the host and these namespaces.
func newWeb(namespaces ...string) *web {
	w := &web{namespaces: namespaces}
	all := append([]string{scenario.HostName}, namespaces...)
	for i, other := range all {
		for _, one := range all[:i] {
			w.pairs = append(w.pairs, pair{one, other})
		}
	}
	return w
}

func (w *web) empty() bool { return len(w.namespaces)+len(w.pairs) == 0 }

// commands are the commands that build the web.
func (w *web) commands() []string {
	var all []string
	for _, n := range w.namespaces {
		all = append(all, "ip netns add "+n)
	}
	for _, p := range w.pairs {
		all = append(all, fmt.Sprintf("%s link add to-%s type veth peer name to-%s netns %s", ip(p.one), p.other, p.one,
			p.other))
	}
	return all
}

// claims list the interfaces of all namespaces.
func (w *web) claims() []string {
	return w.claimsFor(append([]string{scenario.HostName}, w.namespaces...))
}

func (w *web) claimsFor(namespaces []string) []string {
	claims := make([]string, len(namespaces))
	for i, n := range namespaces {
		links := []string{"`lo`"}
		for _, p := range w.pairs {
			switch n {
			case p.one:
				links = append(links, "`to-"+p.other+"`")
			case p.other:
				links = append(links, "`to-"+p.one+"`")
			}
		}
		claims[i] = fmt.Sprintf("`%s` has only the interfaces %s", n, strings.Join(links, ", "))
	}
	return claims
}

// end removes a namespace or one end of a pair from the web. It returns the command for it, and claims that become true
// by it.
func (w *web) end(random *rand.Rand) (command string, claims []string) {
	if i := random.IntN(len(w.namespaces) + len(w.pairs)); i < len(w.namespaces) {
		return w.endNamespace(i)
	}
	i := random.IntN(len(w.pairs))
	p := w.pairs[i]
	w.pairs = slices.Delete(w.pairs, i, i+1)
	command = fmt.Sprintf("%s link del to-%s", ip(p.one), p.other)
	if random.IntN(2) == 1 {
		command = fmt.Sprintf("%s link del to-%s", ip(p.other), p.one)
	}
	return command, w.claimsFor([]string{p.one, p.other})
}

func (w *web) endNamespace(i int) (command string, claims []string) {
	n := w.namespaces[i]
	w.namespaces = slices.Delete(w.namespaces, i, i+1)
	var bereft []string
	w.pairs = slices.DeleteFunc(w.pairs, func(p pair) bool {
		switch n {
		case p.one:
			bereft = append(bereft, p.other)
		case p.other:
			bereft = append(bereft, p.one)
		default:
			return false
		}
		return true
	})
	return "ip netns del " + n, append(w.claimsFor(bereft), fmt.Sprintf("namespace `%s` does not exist", n))
}

// ip is the beginning of an ip command for a namespace.
func ip(ns string) string {
	if ns == scenario.HostName {
		return "ip"
	}
	return "ip -n " + ns
}
