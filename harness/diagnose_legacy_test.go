package main_test

import (
	"os/exec"
	"testing"

	"netnscheck/harness/internal/program"
)

// inRouter runs commands in the namespace between two ends.
func inRouter(commands string) string {
	return routed + "ip netns exec r sh -e <<'.'\nlegacy() { iptables-legacy -w \"$@\"; }\n" + commands + "\n.\n"
}

// legacyHere skips the test unless this kernel has the tables of iptables-legacy, and these ones for others than root.
func legacyHere(t *testing.T, tries string) {
	t.Helper()
	needSandbox(t)
	for _, name := range []string{"unshare", "sh", "iptables-legacy", "nft"} {
		installed(t, name)
	}
	unshare, _ := program.LookPath("unshare")
	out, err := exec.Command(unshare, "-Urnm", "sh", "-ec", "mount -t tmpfs tmpfs /run; "+tries).CombinedOutput()
	if err != nil {
		t.Skipf("this kernel does not do “%s”: %s", tries, out)
	}
}

// TestDiagnoseLegacyIPTables: the tables of iptables-legacy decide as the kernel has them do, alone, with sets of ipset
// and beside nftables. A real echo agrees with each verdict that is none of doubt.
func TestDiagnoseLegacyIPTables(t *testing.T) {
	t.Parallel()
	legacyHere(t, "for t in filter nat mangle raw; do iptables-legacy -w -t $t -L -n; done")
	const drops, replies = "\ncause     filter-forward: r\n", "\nprobe     reply in "
	for _, c := range []struct {
		rules  string
		to     string
		status int
		words  string
	}{
		{"legacy -A FORWARD -d 10.2.0.2 -j DROP", "10.2.0.2", 1, drops},
		{"legacy -A FORWARD -d 10.2.0.3 -j DROP", "10.2.0.2", 0, replies},
		{"legacy -P FORWARD DROP", "10.2.0.2", 1, drops},
		{`legacy -N own; legacy -A own -i e0 -o e1 -p icmp --icmp-type echo-request -j ACCEPT
legacy -A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT; legacy -A FORWARD -j own
legacy -P FORWARD DROP`, "10.2.0.2", 0, replies},
		{"legacy -t nat -A PREROUTING -d 10.9.0.9 -j DNAT --to 10.2.0.2", "10.9.0.9", 0, replies},
		{"legacy -t mangle -A PREROUTING -j MARK --set-xmark 0x4/0x4\nlegacy -A FORWARD -m mark --mark 0x4/0x4 -j DROP",
			"10.2.0.2", 1, drops},
		{"legacy -t mangle -A PREROUTING -j MARK --set-mark 4; ip route add blackhole default table 4\n" +
			"ip rule add fwmark 4 table 4", "10.2.0.2", 1, "\ncause     rule-diverts: r\n"},
		{`legacy -t raw -A PREROUTING -j NOTRACK; legacy -P FORWARD DROP
legacy -A FORWARD -m conntrack --ctstate NEW,ESTABLISHED -j ACCEPT`, "10.2.0.2", 1, drops},
		{"legacy -t raw -A PREROUTING -m rpfilter --invert -j DROP", "10.2.0.2", 0, replies},
		{`legacy -P FORWARD ACCEPT; legacy -A FORWARD -j ACCEPT; nft add table ip t
nft 'add chain ip t f { type filter hook forward priority 0; policy drop; }'`, "10.2.0.2", 1, drops},
		{`legacy -P FORWARD DROP; nft add table ip t
nft 'add chain ip t f { type filter hook forward priority 0; policy accept; }'`, "10.2.0.2", 1, drops},
		{`legacy -t nat -A PREROUTING -d 10.9.0.9 -j DNAT --to 10.2.0.2; nft add table ip t
nft 'add chain ip t p { type nat hook prerouting priority -100; }'
nft add rule ip t p ip daddr 10.9.0.9 dnat to 10.2.0.2`, "10.9.0.9", 0, replies},
		{`legacy -t nat -A PREROUTING -d 10.9.0.9 -j DNAT --to 10.2.0.2; nft add table ip t
nft 'add chain ip t p { type nat hook prerouting priority -100; }'
nft add rule ip t p ip daddr 10.9.0.9 dnat to 10.2.0.3`, "10.9.0.9", 3, "comes first is not known"},
		{`legacy -t nat -A PREROUTING -d 10.9.0.9 -j DNAT --to 10.2.0.3; nft add table ip t
nft 'add chain ip t p { type nat hook prerouting priority -101; }'
nft add rule ip t p ip daddr 10.9.0.9 dnat to 10.2.0.2`, "10.9.0.9", 0, replies},
		{`legacy -t mangle -A PREROUTING -j MARK --set-mark 4; nft add table ip t
nft 'add chain ip t p { type filter hook prerouting priority -150; }'
nft add rule ip t p meta mark 4 drop`, "10.2.0.2", 3, "comes first is not known"},
	} {
		onMachine(t, t.TempDir(), inRouter(c.rules), "diagnose", "--from", "a", "--to", c.to, "--probe").
			want(t, c.status, c.words)
	}
}

// TestDiagnoseSetsOfIPSet: a set of ipset has the packet, or has not.
func TestDiagnoseSetsOfIPSet(t *testing.T) {
	t.Parallel()
	installed(t, "ipset")
	legacyHere(t, "ipset create s hash:ip; iptables-legacy -w -A FORWARD -m set --match-set s src -j DROP")
	for _, c := range []struct {
		sets   string
		status int
	}{
		{"ipset create s hash:net; ipset add s 10.1.0.0/16", 1},
		{"ipset create s hash:net; ipset add s 10.1.0.0/16; ipset add s 10.1.0.2 nomatch", 0},
		{"ipset create s hash:ip; ipset add s 10.1.0.3", 0},
		{"ipset create i hash:ip; ipset add i 10.1.0.2; ipset create s list:set; ipset add s i", 1},
	} {
		onMachine(t, t.TempDir(), inRouter(c.sets+"\nlegacy -A FORWARD -m set --match-set s src -j DROP"), "diagnose",
			"--from", "a", "--to", "10.2.0.2", "--probe").want(t, c.status, "\nprobe     ")
	}
}

// TestRepairOfLegacyIPTables: the commands that are told for a table of iptables-legacy let the packet pass.
func TestRepairOfLegacyIPTables(t *testing.T) {
	t.Parallel()
	legacyHere(t, "iptables-legacy -w -L -n; ip6tables-legacy -w -L -n")
	six := "ip addr add fd00::1/64 dev e0 nodad; ip -n a addr add fd00::2/64 dev e0 nodad\n"
	for rules, to := range map[string]string{
		"legacy -P FORWARD DROP": "10.2.0.2",
		"legacy -A FORWARD -i e0 -j ACCEPT; legacy -A FORWARD -j REJECT": "10.2.0.2",
		"legacy -N own; legacy -A own -j DROP; legacy -A FORWARD -j own": "10.2.0.2",
		"legacy -t raw -A PREROUTING -j NOTRACK; legacy -P FORWARD DROP": "10.2.0.2",
		six + "ip6tables-legacy -w -P INPUT DROP":                        "fd00::1",
		six + "ip6tables-legacy -w -A OUTPUT -p icmpv6 -j REJECT":        "fd00::1",
	} {
		mended := inRouter(rules) + `"$0" diagnose --from a --to ` + to + ` >told || :
sed -n 's/^repair *//p; s/^  *\(ip netns exec r ip6*tables-legacy .*\)/\1/p' told >mend; sh -e mend
`
		onMachine(t, t.TempDir(), mended, "diagnose", "--from", "a", "--to", to, "--probe").
			want(t, 0, "\nprobe     reply in ")
	}
}
