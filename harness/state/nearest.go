package state

import (
	"cmp"
	"slices"
	"strings"

	"netnscheck/harness/nearest"
)

// Kinds of a Candidate.
const (
	KindInterface = "interface"
	KindNamespace = "namespace"
	KindAddress   = "address"
)

// Candidate is a name that a learner may have meant.
type Candidate struct {
	Name string `json:"name"`
	Kind string `json:"kind"` // interface, namespace, address
	// Netns is where the interface or address is; of a namespace its own name.
	Netns string `json:"netns"`
	// Distance is that of nearest.Distance, in half letters: 0 is the same, 1 differs in upper and lower case alone, 2
	// in one letter.
	Distance int `json:"distance"`
}

// Nearest finds the names near to typo among the interfaces (alternative names too), the namespaces and the addresses
// of all namespaces: nearest first, then in the order of the State. What differs in more than a third of its letters
// (and in more than one) is not near. An address stands with its prefix length where the typo has a slash.
func (s *State) Nearest(typo string) []Candidate {
	var found []Candidate
	consider := func(name, kind, netns string) {
		d := nearest.Distance(typo, name)
		if d <= cutoff(typo, name) && !slices.ContainsFunc(found, func(c Candidate) bool {
			return c.Name == name && c.Kind == kind && c.Netns == netns
		}) {
			found = append(found, Candidate{name, kind, netns, d})
		}
	}
	for i := range s.Namespaces {
		n := &s.Namespaces[i]
		consider(n.Name, KindNamespace, n.Name)
		for j := range n.Links {
			l := &n.Links[j]
			consider(l.Name, KindInterface, n.Name)
			for _, alt := range l.AltNames {
				consider(alt, KindInterface, n.Name)
			}
			for _, a := range l.Addresses {
				if strings.Contains(typo, "/") {
					consider(a.Prefix.String(), KindAddress, n.Name)
				} else {
					consider(a.Prefix.Addr().String(), KindAddress, n.Name)
				}
			}
		}
	}
	slices.SortStableFunc(found, func(a, b Candidate) int { return cmp.Compare(a.Distance, b.Distance) })
	return found
}

// cutoff is the greatest distance, in half letters, at which a name is still near.
func cutoff(typo, name string) int {
	return 2*max(1, max(len([]rune(typo)), len([]rune(name)))/3) + 1
}
