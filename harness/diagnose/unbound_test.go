package diagnose

import (
	"net/netip"
	"testing"

	"netnscheck/harness/diagnose/causes"
	"netnscheck/harness/diagnose/facts"
	"netnscheck/harness/state"
)

// TestARuleBySource: the kernel looks up the route of a packet before it chooses the source, so a rule by source does
// not match; but it looks up an IPv4 connection once more (measured on Linux 6.18).
func TestARuleBySource(t *testing.T) {
	for _, c := range []struct {
		to, source string
		port       uint16
		cause      bool
		doubt      bool
	}{
		{"10.0.0.2", "", 0, false, true}, // iputils ping asks for its source first
		{"10.0.0.2", "", 80, true, false},
		{"10.0.0.2", "10.0.0.1", 0, true, false},
		{"fd00::2", "", 0, false, false},
		{"fd00::2", "", 80, false, false},
		{"fd00::2", "fd00::1", 0, true, false},
		{"fd00::2", "fd00::1", 80, true, false},
	} {
		s := Cabled()
		a := s.Namespace("a")
		for _, prefix := range []string{"10.0.0.0/24", "fd00::/64"} {
			p := netip.MustParsePrefix(prefix)
			a.Rules = append(a.Rules, state.Rule{Family: facts.FamilyOf(p.Addr()), Priority: 100, From: p,
				Action: "prohibit"})
		}
		s.Namespace("b").Listeners = []state.Listener{{Proto: "tcp", Addr: netip.IPv6Unspecified(), Port: 80}}
		q := Query{From: "a", To: netip.MustParseAddr(c.to), Port: c.port}
		if c.source != "" {
			q.Source = netip.MustParseAddr(c.source)
		}
		r := Diagnose(s, q)
		if r.Cause != nil != c.cause || c.cause && r.Cause.Name != causes.RuleDiverts || len(r.Doubts) > 0 != c.doubt {
			t.Errorf("to %s from %s port %d: %s", c.to, c.source, c.port, told(r))
		}
	}
}
