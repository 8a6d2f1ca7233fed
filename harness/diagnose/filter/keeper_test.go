package filter

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	"netnscheck/harness/diagnose/causes"
	"netnscheck/harness/diagnose/packet"
	"netnscheck/harness/state"
)

// TestKeepers: what a program keeps on purpose is advised in its own words, and nothing of it is repaired; any other
// rule stays, and the packet alone passes before it.
func TestKeepers(t *testing.T) {
	from, to := netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("10.0.0.2")
	for _, c := range []struct{ family, table, chain, hook, repair, advice string }{
		{"inet", "f", "guard", "forward",
			"nft insert rule inet f guard handle 7 ip saddr 10.0.0.1 ip daddr 10.0.0.2 tcp dport 80 accept", ""},
		{"ip", "filter", "DOCKER-ISOLATION-STAGE-2", "forward", "", "docker network connect NETWORK CONTAINER"},
		{"ip", "docker-bridges", "filter-forward-in__br", "forward", "", "docker network connect"},
		{"inet", "netavark", "NETAVARK-ISOLATION-3", "forward", "", "podman network connect NETWORK CONTAINER"},
		{"inet", "firewalld", "filter_IN_home_deny", "input", "", "firewall-cmd --zone=home --add-rich-rule='rule " +
			"family=ipv4 source address=10.0.0.1 destination address=10.0.0.2 port port=80 protocol=tcp accept'"},
		{"inet", "firewalld", "filter_FWD_home", "forward", "", "firewalld.policies(5)"},
		{"ip", "filter", "LIBVIRT_FWI", "forward", "", "virsh net-edit"},
		{"ip", "filter", "KUBE-NWPLCY-ABC", "forward", "", "kubectl describe networkpolicy"},
		{"ip", "filter", "ufw-user-forward", "forward", "",
			"ufw route allow proto tcp from 10.0.0.1 to 10.0.0.2 port 80"},
		{"ip", "filter", "ufw-user-input", "input", "", "ufw allow proto tcp from 10.0.0.1 to 10.0.0.2 port 80"},
	} {
		table := &state.FilterTable{Family: c.family, Name: c.table, Chains: []state.FilterChain{
			{Name: "base", Type: "filter", Hook: c.hook, Policy: "accept",
				Rules: []state.FilterRule{{Handle: 3, Verdict: "jump", Target: c.chain}}},
			{Name: c.chain, Rules: []state.FilterRule{{Handle: 7, Text: "drop", Verdict: "drop"}}},
		}}
		p := packet.Packet{Src: from, Dst: to, Proto: "tcp", Dport: 80, Sport: 40000}
		n := &state.Namespace{}
		got := Judge(n, Base{Table: table, Chain: &table.Chains[0]}, causes.FilterForward, Seen{Packet: p}).Cause
		if got == nil {
			t.Errorf("%s: nothing drops the packet", c.chain)
			continue
		}
		want := strings.Join([]string{c.family, c.table, c.chain}, " ")
		if !strings.Contains(got.Says, want) || !strings.Contains(got.Evidence[0], "nft list chain "+want+": ") {
			t.Errorf("it names another chain than %s: %s (%s)", want, got.Says, got.Evidence)
		}
		repair, advice := strings.Join(got.Repair, "\n"), strings.Join(got.Advice, "\n")
		ok := strings.Contains(repair, c.repair) && strings.Contains(advice, c.advice)
		if !ok || (repair == "") != (c.repair == "") || (advice == "") != (c.advice == "") {
			t.Errorf("%s: the repair is %q, the advice %q", c.chain, repair, advice)
		}
		if c.family != "ip" {
			continue
		}
		legacy := Judge(n, Base{table, &table.Chains[0], true}, causes.FilterForward, Seen{Packet: p}).Cause
		if legacy == nil || len(legacy.Repair) > 0 || !slices.Equal(legacy.Advice, got.Advice) ||
			!strings.Contains(legacy.Says, want) {
			t.Errorf("%s by iptables-legacy: %+v", c.chain, legacy)
		}
	}
}
