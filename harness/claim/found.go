package claim

import (
	"fmt"
	"net/netip"
	"strings"

	"netnscheck/harness/state"
)

// Missing is the finding for a claim about a namespace that does not exist.
func Missing(s *state.State, netns string) Finding { return finding(false, noNamespace(s, netns)) }

func noNamespace(s *state.State, name string) string {
	text := "there is no namespace " + name
	for _, c := range s.Nearest(name) {
		if c.Kind == state.KindNamespace {
			return text + "; the nearest name is " + c.Name
		}
	}
	return text
}

// noLink describes a missing interface: the namespace that has it instead, or the nearest name.
func noLink(s *state.State, n *state.Namespace, name string) string {
	text := fmt.Sprintf("there is no interface %s in %s", name, n.Name)
	for i := range s.Namespaces {
		if other := &s.Namespaces[i]; other != n && other.Link(name) != nil {
			return fmt.Sprintf("%s; it is in %s", text, other.Name)
		}
	}
	for _, c := range s.Nearest(name) {
		if c.Kind == state.KindInterface {
			return fmt.Sprintf("%s; the nearest name is %s in %s", text, c.Name, c.Netns)
		}
	}
	return text
}

func prefixes(addresses []state.Address) string {
	return list(addresses, func(a state.Address) string { return a.Prefix.String() })
}

func list[T any](items []T, text func(T) string) string {
	var words []string
	for _, item := range items {
		words = append(words, text(item))
	}
	return orNone(strings.Join(words, ", "))
}

func orNone(text string) string { return word(text == "", "none", text) }

func word(first bool, yes, no string) string {
	if first {
		return yes
	}
	return no
}

// sameFamily refuses a source and a destination of different address families.
func sameFamily(source, dest netip.Addr) error {
	if source.IsValid() && source.Is4() != dest.Is4() {
		return fmt.Errorf("source %s and destination %s are of two address families", source, dest)
	}
	return nil
}
