package diagnose

import (
	"net/netip"
	"testing"
)

// TestAnswersAreFragmented: a reply may be fragmented, and so may be larger than the MTU of a link on its path.
func TestAnswersAreFragmented(t *testing.T) {
	s := switched()
	sw := s.Namespace("sw")
	br := sw.Link("br0")
	sw.Rules, br.MTU, br.Bridge.VLANFiltering = defaultRules(), 1300, false
	give(sw, br, netip.MustParsePrefix("10.0.0.9/24"))
	judgeCause(t, "to the bridge", Diagnose(s, Query{From: "a", To: netip.MustParseAddr("10.0.0.9"), Size: 1400}), "",
		"")
	judgeCause(t, "from the bridge", Diagnose(s, Query{From: "sw", To: netip.MustParseAddr("10.0.0.1"), Size: 1400}),
		"mtu-exceeded", "link set br0 mtu 1428")
}

// TestRoutesWithAnMTU: a route may have a smaller MTU than its link.
func TestRoutesWithAnMTU(t *testing.T) {
	s := Cabled()
	a := s.Namespace("a")
	for i := range a.Routes {
		if a.Routes[i].To == netip.MustParsePrefix("10.0.0.0/24") {
			a.Routes[i].MTU, a.Routes[i].MTULock = 1300, true
		}
	}
	q := Query{From: "a", To: netip.MustParseAddr("10.0.0.2"), Size: 1272}
	judgeCause(t, "as large as fits", Diagnose(s, q), "", "")
	q.Size++
	judgeCause(t, "larger than fits", Diagnose(s, q), "mtu-exceeded",
		"ip -n a route replace 10.0.0.0/24 dev eth0 mtu 1301")
	q.From, q.To = "b", netip.MustParseAddr("10.0.0.1")
	judgeCause(t, "the answer", Diagnose(s, q), "", "")
}
