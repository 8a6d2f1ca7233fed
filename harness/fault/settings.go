package fault

import (
	"fmt"

	"netnscheck/harness/diagnose/causes"
)

// settings are sysctls. That a link answers no ARP requests (arp_ignore) is no fault to be found: as soon as it asks
// itself, the others know it.
func (s *site) settings() {
	for i := range s.Namespaces {
		n := &s.Namespaces[i]
		set := func(level int, key, value, title string, names ...causes.Cause) {
			if was := sysctlOf(n, key); was != "" && was != value {
				s.maybe(level, n, title, func(b *bench) { b.setSysctl(n.Name, key, value) }, names...)
			}
		}
		set(2, forwarding4, "0", fmt.Sprintf("`%s` does not forward IPv4", n.Name), causes.ForwardingOff)
		set(2, forwarding6, "0", fmt.Sprintf("`%s` does not forward IPv6", n.Name), causes.ForwardingOff)
		set(3, "net.ipv4.icmp_echo_ignore_all", "1", fmt.Sprintf("`%s` answers no echo requests", n.Name),
			causes.EchoIgnored)
		set(3, "net.ipv6.icmp.echo_ignore_all", "1", fmt.Sprintf("`%s` answers no IPv6 echo requests", n.Name),
			causes.EchoIgnored)
	}
	for _, p := range s.places {
		n := p.n
		set := func(level int, key, value, title string, names ...causes.Cause) {
			if was := sysctlOf(n, key); was != "" && was != value {
				s.maybe(level, n, title, func(b *bench) {
					b.setSysctl(n.Name, key, value)
					b.touched[n.Name+" "+p.l.Name] = true
				}, names...)
			}
		}
		set(2, "net.ipv6.conf."+slashed(p.l.Name)+".disable_ipv6", "1", p.String()+" has IPv6 disabled",
			causes.IPv6Disabled, causes.NoAddress, causes.AddressNowhere)
		conf := "net.ipv4.conf." + slashed(p.l.Name) + "."
		set(3, conf+"forwarding", "0", p.String()+" does not forward IPv4", causes.ForwardingOff)
		set(3, conf+"rp_filter", "1", p.String()+" drops packets whose sender it would not answer by the same link",
			causes.ReversePathFilter)
	}
}
