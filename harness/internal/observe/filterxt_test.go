package observe

import (
	"testing"

	"netnscheck/harness/state"
)

// TestFiltersOfIPTables reads the expressions of nf_tables that iptables-nft uses, and its matches and targets of
// xtables.
func TestFiltersOfIPTables(t *testing.T) {
	needs(t, "iptables-nft", "ip6tables-nft")
	w := newWorld(t, "a")
	var want []string
	for _, c := range []struct{ command, model string }{
		{"iptables-nft -A INPUT -p tcp --dport 22 -j DROP", "l4proto=tcp, tcp dport=22 -> drop"},
		{"iptables-nft -A INPUT -p udp -m udp --dport 53 -j DROP", "l4proto=udp, udp dport=53 -> drop"},
		{"iptables-nft -A INPUT -p tcp -m multiport --dports 22,80:90 -j DROP",
			"l4proto=tcp, tcp dport=22|80-90 -> drop"},
		{"iptables-nft -A INPUT -p tcp --sport 1:5 ! --dport 9 -j REJECT --reject-with tcp-reset",
			"l4proto=tcp, tcp sport=1-5, tcp dport!=9 -> reject"},
		{"iptables-nft -A INPUT -s 10.0.0.0/8 -i eth+ -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT",
			"iifname=eth*, ip saddr=10.0.0.0/8, ct state=established|related -> accept"},
		{"iptables-nft -A INPUT -m conntrack ! --ctstate NEW -j ACCEPT", "ct state!=new -> accept"},
		{"iptables-nft -A INPUT -m state --state NEW -j ACCEPT", "ct state=new -> accept"},
		{"iptables-nft -A INPUT -p icmp --icmp-type echo-request -j REJECT",
			"l4proto=icmp, icmp type=echo-request -> reject"},
		{"iptables-nft -A INPUT -m mark --mark 3 -j DROP", "mark=0x00000003 -> drop"},
		{"iptables-nft -A INPUT -j LOG", "->"},
		{"iptables-nft -A INPUT -m limit --limit 5/s -m comment --comment hey -j ACCEPT", "? -> accept"},
		{"iptables-nft -A INPUT -m addrtype --dst-type LOCAL -j DROP", "fib daddr type=local -> drop"},
		{"iptables-nft -A INPUT -m addrtype --src-type LOCAL,UNICAST ! --dst-type BROADCAST -j DROP",
			"fib saddr type=unicast|local, fib daddr type!=broadcast -> drop"},
		{"iptables-nft -A INPUT -m addrtype --dst-type LOCAL --limit-iface-in -j DROP", "? -> drop"},
		{"iptables-nft -t nat -A POSTROUTING -s 10.0.0.0/8 ! -o eth0 -j SNAT --to 192.0.2.4",
			"oifname!=eth0, ip saddr=10.0.0.0/8 -> snat 192.0.2.4"},
		{"iptables-nft -t nat -A POSTROUTING -o eth0 -j MASQUERADE", "oifname=eth0 -> masquerade"},
		{"iptables-nft -t nat -A PREROUTING -p tcp --dport 80 -j DNAT --to 10.0.0.1:8080",
			"l4proto=tcp, tcp dport=80 -> dnat 10.0.0.1 :8080"},
		{"iptables-nft -t nat -A PREROUTING -p tcp --dport 80 -j DNAT --to 10.0.0.1-10.0.0.5",
			"l4proto=tcp, tcp dport=80, ? -> dnat"},
		{"iptables-nft -t nat -A PREROUTING -p tcp --dport 80 -j REDIRECT --to-ports 8080",
			"l4proto=tcp, tcp dport=80 -> redirect :8080"},
		{"ip6tables-nft -A INPUT -p icmpv6 --icmpv6-type 128 -j DROP",
			"l4proto=ipv6-icmp, icmpv6 type=echo-request -> drop"},
		{"ip6tables-nft -A INPUT -j REJECT", "-> reject"},
		{"ip6tables-nft -t nat -A PREROUTING -p tcp --dport 80 -j DNAT --to [fd00::1]:8080",
			"l4proto=tcp, tcp dport=80 -> dnat fd00::1 :8080"},
		{"ip6tables-nft -t nat -A POSTROUTING -j SNAT --to fd00::1", "-> snat fd00::1"},
	} {
		run(t, w, "a", c.command)
		want = append(want, c.model)
	}
	var got []string
	all := filtered(t, w, "a").Filters
	for _, at := range [][2]string{ // in the order of the commands
		{"ip", "filter INPUT"}, {"ip", "nat POSTROUTING"}, {"ip", "nat PREROUTING"},
		{"ip6", "filter INPUT"}, {"ip6", "nat PREROUTING"}, {"ip6", "nat POSTROUTING"},
	} {
		for _, r := range chainOf(all, at[0], at[1]).Rules {
			got = append(got, model(r))
		}
	}
	equal(t, got, want)
}

// TestMultiportWithoutPorts: iptables makes no such match, but other programs can.
func TestMultiportWithoutPorts(t *testing.T) {
	u := &understanding{ruleset: &ruleset{}, protocols: []string{"tcp"}}
	if u.xtMultiport(make([]byte, 48)) {
		t.Errorf("understood as %+v", u.rule.Matches)
	}
}

func chainOf(all []state.FilterTable, family, at string) state.FilterChain {
	for _, table := range all {
		for _, c := range table.Chains {
			if table.Family == family && table.Name+" "+c.Name == at {
				return c
			}
		}
	}
	return state.FilterChain{}
}
