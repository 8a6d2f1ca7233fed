package lab_test

import (
	"strings"
	"testing"

	"netnscheck/harness/lab"
	"netnscheck/harness/scenario"
)

const nftRules = `table inet filter {
	set blocked { type ipv4_addr; flags interval; elements = { 10.0.0.0/8, 192.168.1.5 }; }
	set ports { type inet_service; flags timeout; elements = { 22 timeout 1h, 80 comment "web, in, here" }; }
	set doors { type ifname; flags interval; elements = { "eth*" }; }
	set pairs { type ipv4_addr . inet_service; elements = { 10.0.0.1 . 80 }; }
	set empty { type inet_service; }
	map doormen { type inet_service : verdict; elements = { 22 : accept, 80 : jump other }; }
	chain other { comment "of no hook"; }
	chain input {
		type filter hook input priority filter; policy drop;
		ct state established,related accept
		iifname "lo" counter packets 3 bytes 252 accept
		tcp dport { 80, 22 } accept comment "two  ports"
		meta l4proto { tcp, udp } th dport 53 limit rate 5/second accept
		log prefix "in: " drop
		jump other comment "a
		tcp dport 99 accept # handle 9"
	}
}
table ip filter { chain input { tcp dport 22 drop; }; }
table inet asleep { flags dormant; chain input { tcp dport 7 drop; }; }
`

// TestNftChecks judges rules and elements of a table that nft has loaded.
func TestNftChecks(t *testing.T) {
	l := started(t, "ip netns add a", "ip netns add b")
	if err := l.Do(t.Context(), lab.Netlink(), "ip netns exec a nft '"+nftRules+"'"); err != nil {
		lackingProgram(t, err)
	}
	judge(t, l, map[string]string{
		"the chain `inet filter input` in `a` has the rule `ct state established,related accept`":                     "",
		"the chain `inet filter input` in `a` has the rule `iifname \"lo\" counter accept`":                           "",
		"the chain `inet filter input` in `a` has the rule `iifname lo  counter packets 1 bytes 2 accept # handle 4`": "",
		"the chain `inet filter input` in `a` has the rule `tcp dport {22,80} accept comment \"two ports\"`":          "",
		"the chain `inet filter input` in `a` has the rule `meta l4proto { tcp, udp } th dport 53 limit rate " +
			"5/second accept`": "",
		"the chain `inet filter input` in `a` has the rule `log prefix \"in: \" drop`":          "",
		"the chain `inet filter input` in `a` does not have the rule `log prefix \"in: drop\"`": "",
		"the chain `inet filter input` in `a` does not have the rule `tcp dport 99 accept`":     "",
		"the chain `ip filter input` in `a` has the rule `tcp dport 22 drop`":                   "",
		"the chain `inet asleep input` in `a` has the rule `tcp dport 7 drop`":                  "",
		"the chain `inet filter other` in `a` does not have the rule `accept`":                  "",
		"the chain `inet filter other` in `a` has the rule `accept`":                            "the rules: none",
		"the chain `ip filter input` in `a` does not have the rule `tcp dport 22 drop`":         "the rules: tcp dport 22 drop",
		"the chain `ip filter input` in `a` has the rule `tcp dport 22`":                        "the rules: tcp dport 22 drop",
		"the chain `inet filter inptu` in `a` has the rule `accept`": "there is no chain inet filter inptu in a; " +
			"the nearest is inet filter input",
		"the chain `inet filter inptu` in `a` does not have the rule `accept`": "there is no chain inet filter inptu in a; " +
			"the nearest is inet filter input",
		"the chain `inet filter input` in `b` does not have the rule `accept`": "there is no chain inet filter input in b; " +
			"the chains: none",
		"the chain `inet filter input` in `nowhere` does not have the rule `accept`": "there is no namespace nowhere",

		"the nft set `inet filter blocked` in `a` contains `10.1.2.3`":           "",
		"the nft set `inet filter blocked` in `a` contains `10.0.0.0/8`":         "",
		"the nft set `inet filter blocked` in `a` does not contain `11.0.0.0/8`": "",
		"the nft set `inet filter blocked` in `a` contains `11.0.0.1`": "the elements: 10.0.0.0/8, " +
			"192.168.1.5",
		"the nft set `inet filter blocked` in `a` does not contain `10.9.9.9`": "the set has the element 10.0.0.0/8",
		"the nft set `inet filter ports` in `a` contains `22`":                 "",
		"the nft set `inet filter ports` in `a` contains `80`":                 "",
		"the nft set `inet filter ports` in `a` contains `23`": "the elements: 22 timeout 1h, 80 " +
			"comment \"web, in, here\"",
		"the nft set `inet filter pairs` in `a` contains `10.0.0.1 . 80`":         "",
		"the nft set `inet filter pairs` in `a` does not contain `10.0.0.1 . 81`": "",
		"the nft set `inet filter doors` in `a` contains `\"eth*\"`":              "",
		"the nft set `inet filter doors` in `a` contains `eth0`":                  "",
		"the nft set `inet filter doors` in `a` does not contain `\"lo\"`":        "",
		"the nft set `inet filter doormen` in `a` contains `80`":                  "",
		"the nft set `inet filter doormen` in `a` contains `81`": "the elements: 22 : accept, 80 : " +
			"jump other",
		"the nft set `inet filter empty` in `a` does not contain `81`": "",
		"the nft set `inet filter blokced` in `a` does not contain `10.0.0.1`": "there is no set inet filter " +
			"blokced in a; the nearest is inet filter blocked",
		"the nft set `inet filter blocked` in `b` does not contain `10.0.0.1`": "there is no set inet filter " +
			"blocked in b; the sets: none",
	})
	undecided := "the nft set `inet filter blocked` in `a` contains `fd00::1`"
	if v := l.Evaluate(t.Context(), claimOf(t, undecided), nil); v.Outcome != scenario.Error ||
		!strings.Contains(v.Reason, "look up fd00::1 in the set inet filter blocked") {
		t.Errorf("%s: %s, %q", undecided, v.Outcome, v.Reason)
	}
}

// TestLyingNft: a scenario may replace the nft of its lab. The checks ask another one.
func TestLyingNft(t *testing.T) {
	l := started(t, "ip netns add a")
	if err := l.Do(t.Context(), lab.Netlink(),
		"ip netns exec a nft 'table inet filter { chain input { tcp dport 22 drop; }; set s { type inet_service; }; }'",
		`sh -c 'printf "#!/bin/sh\nprintf \"chain {\\\\ntcp dport 22 accept # handle 2\\\\n\"" >/tmp/nft; chmod +x /tmp/nft'`,
		"sh -c 'mount --bind /tmp/nft $(command -v nft)'"); err != nil {
		lackingProgram(t, err)
	}
	do(t, l, "sh -c 'nft list chain inet filter input | grep accept'")
	for sentence, want := range map[string]scenario.Outcome{
		"the chain `inet filter input` in `a` has the rule `tcp dport 22 drop`":   scenario.Pass,
		"the chain `inet filter input` in `a` has the rule `tcp dport 22 accept`": scenario.Fail,
		"the nft set `inet filter s` in `a` contains `22`":                        scenario.Fail,
	} {
		if v := l.Evaluate(t.Context(), claimOf(t, sentence), nil); v.Outcome != want {
			t.Errorf("%s: %s, found %s %s; want %s", sentence, v.Outcome, v.Found, v.Reason, want)
		}
	}
}
