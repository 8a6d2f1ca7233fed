package topology

import (
	"fmt"

	"netnscheck/harness/diagnose/facts"
	"netnscheck/harness/diagnose/finding"
	"netnscheck/harness/diagnose/words"
)

// Widen repairs a link that is too narrow for packets of a size, and the devices below it before: over the MTU of
// those, the kernel refuses that of a VLAN or a macvlan (vlan_dev_change_mtu(), net/8021q/vlan_dev.c;
// macvlan_change_mtu(), drivers/net/macvlan.c). The headers of a tunnel leave it less than the link below has; that one
// is not widened, because what it leads to may not take such packets: then the sender has to make smaller ones. False
// if there is only this advice.
func (m *Map) Widen(c *finding.Cause, at facts.Port, size int) bool {
	if at.L.MTU >= size {
		return true
	}
	if most := m.mostInTunnel(at); most < size {
		c.Advise(smaller(at, at.L.MTU))
		return false
	}
	if lower := m.Below(at.L); lower != nil && (at.L.VLAN != nil || at.L.Macvlan != "") && !m.Widen(c, *lower, size) {
		return false
	}
	c.SetMTU(at, size)
	return true
}

// mostInTunnel is the largest MTU that a link may have for the device below it, if it is a tunnel.
func (m *Map) mostInTunnel(at facts.Port) int {
	const unlimited = 1 << 16
	if at.L.VXLAN == nil {
		return unlimited
	}
	lower := at.N.Link(at.L.VXLAN.Dev)
	if at.L.VXLAN.Dev == "" || lower == nil {
		return unlimited
	}
	return lower.MTU - headersOf(at.L.VXLAN)
}

// smaller is the advice to send packets out of a link only as large as what follows takes.
func smaller(at facts.Port, mtu int) string {
	return fmt.Sprintf("send packets of at most %d bytes: what comes in by %s is to have that MTU from its sender on (%s)",
		mtu, at.L.Name, words.IP(at.N, "link set %s mtu %d", at.L.Name, mtu))
}
