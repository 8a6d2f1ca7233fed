package main_test

import (
	"strings"
	"testing"
)

// TestLabAnswers: a mistake is answered, also the first one after a step was done, and lab why tells more of it, with
// the blocks for the programs that a learner has. A command of the page that fails as it should is none.
func TestLabAnswers(t *testing.T) {
	needPrograms(t, "bash")
	needPrograms(t, "ip")
	needPrograms(t, "ping")
	l := sits(t, anOrdinaryUserIfRoot(), "lab", "start", "veth-pair")
	l.expects(prompt)
	l.says("for n in testns prodns; do ip netns add $n; done", `step 1 of 7: .* is done\r\n`)
	l.expects(prompt)
	l.says("ip link add vnix-prodns type veth peer name vnic-testns", `step 3 of 7: .* is done\r\n`)
	l.expects(prompt)
	l.says("ip link set vnic-prodns netns prodns", `→ .*a typo in the device name: lab why\r\n`)
	l.expects(prompt)
	l.types("lab why\n")
	if told := l.expects(`(?s)a typo in the device name.*` + prompt); strings.Contains(told, "[!]") ||
		!strings.Contains(told, `Cannot find device "vnic-prodns"`) {
		t.Errorf("lab why tells:\n%s", told)
	}
	l.says("ip link set vnix-prodns netns prodns; ip link set vnic-testns netns testns", `step 4 of 7: .* is done\r\n`)
	l.expects(prompt)
	if told := l.says("ip -n testns link >/tmp/x", prompt); strings.Contains(told, "→") {
		t.Errorf("a command that only looks is answered:\n%s", told)
	}
	if told := l.says("ip netns exec prodns ip link show dev vnic-testns", prompt); strings.Contains(told, "typo") {
		t.Errorf("a look is a typo:\n%s", told)
	}
	l.says("ip -n prodns addr add 192.168.2.102/24 dev vnix-prodns; "+
		"ip -n testns addr add 192.168.2.103/24 dev vnic-testns", `step 5 of 7: .* is done\r\n`)
	l.expects(prompt)
	l.says("ip -n prodns link set dev vnix-prodns", "→ .*That set nothing of `vnix-prodns` in `prodns`\r\n")
	l.expects(prompt)
	l.says("ip -n prodns link set vnix-prodns up; ip -n testns link set vnic-testns up",
		`step 6 of 7: .* is done\r\n`)
	l.expects(prompt)
	l.says("ping -c1 -W0.1 192.168.2.103", "→ .*That was sent from `host`; this step is about `prodns`\r\n")
	l.expects(prompt)
	l.types("exit\n")
	l.ends()
}

// TestLabPacketFilters: a change of nftables alone is a change.
func TestLabPacketFilters(t *testing.T) {
	needPrograms(t, "bash")
	needPrograms(t, "nft")
	needPrograms(t, "busybox")
	l := sits(t, anOrdinaryUserIfRoot(), "lab", "start", "nftables")
	const prompt = `\[nftables\] ~ # `
	l.expects(prompt)
	l.says("nft add table inet filter",
		`host: table inet filter appeared\r\n.*→ .*the rules of another namespace: lab why`)
	l.expects(prompt)
	l.says("n='ip netns exec server nft'; $n add table inet filter; $n add chain inet filter input "+
		"'{ type filter hook input priority filter; policy accept; }'", `step 1 of 7: .* is done\r\n`)
	l.expects(prompt)
	l.says("$n add rule inet filter input icmp type echo-request counter drop", `step 2 of 7: .* is done\r\n`)
	l.expects(prompt)
	if told := l.says("ip netns exec client ping -c1 -W0.1 10.7.0.2", prompt); strings.Contains(told, "→") {
		t.Errorf("the page's own command is answered:\n%s", told)
	}
	l.types("exit\n")
	l.ends()
}
