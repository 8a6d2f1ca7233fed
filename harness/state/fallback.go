package state

import (
	"slices"
	"strings"
)

// FallbackTunnels are the names of devices that the kernel creates in every namespace, old and new, once their module
// is loaded, unless net.core.fb_tunnels_only_for_init_net is set. They are down, without an address.
var FallbackTunnels = []string{
	"tunl0", "gre0", "gretap0", "erspan0", "ip_vti0", "ip6_vti0", "sit0", "ip6tnl0", "ip6gre0",
}

// fallbackKinds are their kinds, in the same order.
var fallbackKinds = []string{"ipip", "gre", "gretap", "erspan", "vti", "vti6", "sit", "ip6tnl", "ip6gre"}

// Fallback reports whether the link is a fallback tunnel that nobody has touched: no part of what somebody has set up.
func (l *Link) Fallback() bool {
	i := slices.Index(FallbackTunnels, l.Name)
	return i >= 0 && l.Kind == fallbackKinds[i] && !l.Up && len(l.Addresses) == 0 && l.Master == "" && l.Peer == nil &&
		len(l.AltNames) == 0
}

// WithoutFallback is the state without untouched fallback tunnels, for those who look at it; the state itself if there
// are none. It shares everything else with the state.
func (s *State) WithoutFallback() *State {
	clean := s
	for i := range s.Namespaces {
		if links := s.Namespaces[i].Links; slices.ContainsFunc(links, isFallback) {
			if clean == s {
				own := *s
				own.Namespaces = slices.Clone(s.Namespaces)
				clean = &own
			}
			clean.Namespaces[i].Links = slices.DeleteFunc(slices.Clone(links), isFallback)
		}
	}
	return clean
}

func isFallback(l Link) bool { return l.Fallback() }

// ofFallback reports whether a sysctl is one of an untouched fallback tunnel.
func (n *Namespace) ofFallback(s Sysctl) bool {
	return slices.ContainsFunc(n.Links, func(l Link) bool {
		return l.Fallback() && strings.Contains(s.Key, ".conf."+l.Name+".")
	})
}
