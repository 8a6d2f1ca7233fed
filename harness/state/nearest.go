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

// Candidate is a name that may have been meant.
type Candidate struct {
	Name string `json:"name"`
	Kind string `json:"kind"` // interface, namespace, address
	// Netns is the namespace of the interface or address; for a namespace it is Name.
	Netns string `json:"netns"`
	// Distance is the nearest.Distance in half letters: 0 for the same name, 1 for a difference in case, 2 for one
	// letter.
	Distance int `json:"distance"`
}

// Nearest finds the names close to typo among the interfaces (with their alternative names), addresses and namespaces
// of the State: nearest first, then in the order of the State. A name that differs in more than one letter and in more
// than a third of its letters is not close. An address has its prefix length if typo has a slash.
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

// cutoff is the greatest distance, in half letters, at which a name is still close.
func cutoff(typo, name string) int {
	return 2*max(1, max(len([]rune(typo)), len([]rune(name)))/3) + 1
}
