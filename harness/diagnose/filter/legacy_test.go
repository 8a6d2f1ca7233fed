package filter

import (
	"net/netip"
	"strings"
	"testing"

	"netnscheck/harness/diagnose/causes"
	"netnscheck/harness/diagnose/packet"
	"netnscheck/harness/state"
)

// TestLegacyTables: the tables of iptables-legacy stand beside those of nf_tables, by priority, and the repair lets the
// packet pass, by the program whose table it is.
func TestLegacyTables(t *testing.T) {
	chain := func(policy string, rules ...state.FilterRule) []state.FilterChain {
		return []state.FilterChain{{Name: "FORWARD", Type: "filter", Hook: "forward", Policy: policy, Rules: rules}}
	}
	established := state.FilterRule{Handle: 1, Verdict: "accept",
		Matches: []state.FilterMatch{{Key: "ct state", Values: []string{"established"}}}}
	rejects := state.FilterRule{Handle: 2, Verdict: "reject", Text: "reject"}
	p := Seen{Packet: packet.Packet{Src: netip.MustParseAddr("10.1.0.2"), Dst: netip.MustParseAddr("10.2.0.2"),
		Proto: "tcp", Sport: 40000, Dport: 80}}
	for _, c := range []struct {
		chains []state.FilterChain
		repair string
	}{
		{chain("accept"), ""},
		{chain("drop"), "-A FORWARD -s 10.1.0.2 -d 10.2.0.2 -p tcp --dport 80; -A FORWARD -m conntrack --ctstate " +
			"ESTABLISHED,RELATED"},
		{chain("drop", established), "-A FORWARD -s 10.1.0.2 -d 10.2.0.2 -p tcp --dport 80"},
		{chain("accept", established, rejects), "-I FORWARD 2 -s 10.1.0.2 -d 10.2.0.2 -p tcp --dport 80"},
	} {
		earlier := []state.FilterChain{{Hook: "forward", Priority: -1}}
		n := &state.Namespace{Name: "r", Filters: []state.FilterTable{{Family: "inet", Name: "t", Chains: earlier}},
			LegacyFilters: []state.FilterTable{{Family: "ip", Name: "filter", Chains: c.chains}}}
		bases := ChainsAt(n, "forward", "ip", "inet")
		if len(bases) != 2 || bases[0].Legacy || !bases[1].Legacy {
			t.Fatalf("the chains are %+v", bases)
		}
		o := Judge(n, bases[1], causes.FilterForward, p)
		var got []string
		if o.Cause != nil {
			for _, line := range o.Cause.Repair {
				_, line, _ = strings.Cut(line, "iptables-legacy -t filter ")
				got = append(got, strings.TrimSuffix(line, " -j ACCEPT"))
			}
		}
		if repair := strings.Join(got, "; "); repair != c.repair || len(o.Doubts) > 0 {
			t.Errorf("%+v: the repair is %q, the doubts are %q", c.chains, repair, o.Doubts)
		}
	}
}
