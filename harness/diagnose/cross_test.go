package diagnose

import (
	"net/netip"
	"testing"
)

// TestAnswersAreFragmented: an answer is not bound to be in one piece, and may be larger than the link by which it goes back.
func TestAnswersAreFragmented(t *testing.T) {
	s := switched()
	sw := s.Namespace("sw")
	br := sw.Link("br0")
	sw.Rules, br.MTU, br.Bridge.VLANFiltering = defaultRules(), 1300, false
	give(sw, br, netip.MustParsePrefix("10.0.0.9/24"))
	judgeCause(t, "to the bridge", Diagnose(s, Query{From: "a", To: netip.MustParseAddr("10.0.0.9"), Size: 1400}), "", "")
	judgeCause(t, "from the bridge", Diagnose(s, Query{From: "sw", To: netip.MustParseAddr("10.0.0.1"), Size: 1400}), "mtu-exceeded", "link set br0 mtu 1428")
}
