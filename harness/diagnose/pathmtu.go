package diagnose

import (
	"slices"

	"netnscheck/harness/diagnose/causes"
	"netnscheck/harness/state"
)

// forget is the command that makes a namespace forget the path MTUs it has cached.
func forget(n *state.Namespace, family int) string {
	return ip(n, "%sroute flush cache", six(family))
}

// pathMTU: the sender has cached too small a path MTU, from an ICMP error, and keeps it for 10 minutes
// (net.ipv4.route.mtu_expires; ip_rt_update_pmtu(), net/ipv4/route.c, and rt6_do_update_pmtu(), net/ipv6/route.c).
func (w *walk) pathMTU() *Cause {
	if len(w.stations) == 0 || w.stations[0].d.hop == nil {
		return nil
	}
	n, p, hop := w.stations[0].n, w.stations[0].p, w.stations[0].d.hop
	for i := range n.PathMTUs {
		r := &n.PathMTUs[i]
		if r.To.Addr() != p.dst.WithZone("") || r.MTU >= p.size || !leadsOut(r, hop.Dev) || hop.Via.IsValid() &&
			!leadsBy(r, *hop) {
			continue
		}
		return cause(causes.MTUExceeded, n, n.Link(hop.Dev),
			"a packet of %d bytes that must not be fragmented does not fit the path to %s, for which %s has cached an "+
				"MTU of %d for 10 minutes",
			p.size, p.dst, n.Name, r.MTU).
			proof(ip(n, "%sroute show cache", six(r.Family)) + ": " + state.RouteText(*r)).fix(forget(n, r.Family)).
			then(func(k *sketch) { k.netns(n.Name).PathMTUs = nil })
	}
	return nil
}

// tooNarrow are the causes that make a sender cache a path MTU smaller than that of its own link.
var tooNarrow = []causes.Cause{causes.MTUExceeded, causes.MTUMismatch, causes.MTUBlackHole}

// forgetPathMTU adds to a repair that the sender forgets its cached path MTU, which outlives the cause.
func (w *walk) forgetPathMTU(c *Cause) {
	if known := w.pathMTU(); known != nil && slices.Contains(tooNarrow, c.Name) &&
		!slices.Contains(c.Repair, known.Repair[0]) {
		c.fix(known.Repair...)
	}
}
