package diagnose

import (
	"slices"

	"netnscheck/harness/diagnose/causes"
	"netnscheck/harness/diagnose/facts"
	"netnscheck/harness/diagnose/finding"
	"netnscheck/harness/diagnose/words"
	"netnscheck/harness/state"
)

// pathMTU: the sender has cached too small a path MTU, from an ICMP error, and keeps it for 10 minutes
// (net.ipv4.route.mtu_expires; ip_rt_update_pmtu(), net/ipv4/route.c, and rt6_do_update_pmtu(), net/ipv6/route.c).
func (w *walk) pathMTU() *finding.Cause {
	if len(w.stations) == 0 || w.stations[0].d.Hop == nil {
		return nil
	}
	n, p, hop := w.stations[0].n, w.stations[0].p, w.stations[0].d.Hop
	for i := range n.PathMTUs {
		r := &n.PathMTUs[i]
		if r.To.Addr() != p.Dst.WithZone("") || r.MTU >= p.Size || !facts.LeadsOut(r, hop.Dev) || hop.Via.IsValid() &&
			!facts.LeadsBy(r, *hop) {
			continue
		}
		return finding.New(causes.MTUExceeded, n, n.Link(hop.Dev),
			"a packet of %d bytes that must not be fragmented does not fit the path to %s, for which %s has cached an "+
				"MTU of %d for 10 minutes",
			p.Size, p.Dst, n.Name, r.MTU).
			Proof(words.IP(n, "%sroute show cache", words.Six(r.Family))+": "+state.RouteText(*r)).
			ForgetPathMTUs(n, r.Family)
	}
	return nil
}

// tooNarrow are the causes that make a sender cache a path MTU smaller than that of its own link.
var tooNarrow = []causes.Cause{causes.MTUExceeded, causes.MTUMismatch, causes.MTUBlackHole}

// forgetPathMTU adds to a repair that the sender forgets its cached path MTU, which outlives the cause.
func (w *walk) forgetPathMTU(c *finding.Cause) {
	if known := w.pathMTU(); known != nil && slices.Contains(tooNarrow, c.Name) &&
		!slices.Contains(c.Repair, known.Repair[0]) {
		c.Fix(known.Repair...)
	}
}
