package state

import (
	"strings"
)

// IPSet is a set of ipset(8), to which rules of iptables refer: a FilterMatch with the key `ipset src,dst`.
type IPSet struct {
	Name string `json:"name"`
	Type string `json:"type"` // hash:ip, hash:net,port, bitmap:port, list:set, …
	// Family is 4 or 6, or 0 for a set without addresses.
	Family int `json:"family,omitempty"`
	// Index is the number by which the kernel knows the set; nil if it does not tell (before Linux 4.20).
	Index    *int           `json:"index,omitempty"`
	Elements []IPSetElement `json:"elements,omitempty"`
	// MoreElements is set if the set has others, which were not read.
	MoreElements bool `json:"more_elements,omitempty"`
}

// IPSetElement is an element of a set.
type IPSetElement struct {
	// Values are one for each part of the set's type, in its order: an address or prefix, a port (`tcp:80`, or `80` in
	// a bitmap), a MAC address, a mark (`0x10`), an interface; ICMP has a type and a code in place of a port
	// (`icmp:8/0`).
	Values []string `json:"values,omitempty"`
	// Set is the member of a list of sets.
	Set string `json:"set,omitempty"`
	// NoMatch excepts the element from a wider one of the set.
	NoMatch bool `json:"nomatch,omitempty"`
	// PhysDev is set if the interface is the port of a bridge.
	PhysDev bool `json:"physdev,omitempty"`
}

// IPSetText is a set in one line: its name, its type and its elements as ipset(8) lists them.
func IPSetText(s IPSet) string {
	elements := make([]string, len(s.Elements))
	for i, e := range s.Elements {
		elements[i] = words(strings.Join(e.Values, ","), e.Set, when(e.NoMatch, "nomatch"))
	}
	return words(s.Name, s.Type, map[int]string{4: "inet", 6: "inet6"}[s.Family], "{",
		strings.Join(elements, "; "), when(s.MoreElements, "…"), "}")
}
