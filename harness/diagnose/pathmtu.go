package diagnose

import (
	"slices"

	"netnscheck/harness/diagnose/causes"
	"netnscheck/harness/state"
)

// forget is the command by which a namespace forgets the path MTUs that it has learned.
func forget(n *state.Namespace, family int) string {
	return ip(n, "%sroute flush cache", six(family))
}

// pathMTU: the sender was told of a link on the way that is too narrow, and believes it for 10 minutes
// (net.ipv4.route.mtu_expires).
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
			"a packet of %d bytes that must not be fragmented does not fit the way to %s as %s has learned it (MTU "+
				"%d), which it believes for 10 minutes",
			p.size, p.dst, n.Name, r.MTU).
			proof(ip(n, "%sroute show cache", six(r.Family)) + ": " + state.RouteText(*r)).mend(forget(n, r.Family)).
			then(func(k *sketch) { k.netns(n.Name).PathMTUs = nil })
	}
	return nil
}

// tooNarrow are the causes by which a sender learns that the way is narrower than its own link.
var tooNarrow = []causes.Cause{causes.MTUExceeded, causes.MTUMismatch, causes.MTUBlackHole}

// forgetPathMTU: what the sender has learned of a way that was too narrow outlives the repair.
func (w *walk) forgetPathMTU(c *Cause) {
	if known := w.pathMTU(); known != nil && slices.Contains(tooNarrow, c.Name) &&
		!slices.Contains(c.Repair, known.Repair[0]) {
		c.mend(known.Repair...)
	}
}
