package lab_test

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"

	"netnscheck/harness/lab"
	"netnscheck/harness/scenario"
)

// TestCapture: each section hands over its packets, also one that fails, and those of a step that deletes a namespace
// change nothing of what it finds.
func TestCapture(t *testing.T) {
	sc, err := scenario.Parse("t.md", []byte(lines("# T",
		"## Connect", "```console", "$ ip netns add a", "$ ip netns add b",
		"$ ip link add eth0 netns a type veth peer name eth0 netns b",
		"$ ip -n a link set eth0 up", "$ ip -n b link set eth0 up",
		"$ ip -n a address add 10.0.0.1/24 dev eth0", "$ ip -n b address add 10.0.0.2/24 dev eth0",
		"$ ip netns exec a ping -c 1 10.0.0.2", "```", "- [ ] `a` reaches `10.0.0.2`",
		"### Mistake: the wrong address", "```console", "$ ip netns add c", "```", "- [ ] `c` reaches `10.0.0.2`",
		"## Delete", "```console", "$ ip netns del a", "```", "- [ ] namespace `a` does not exist",
		"- [ ] `b` does not have the interface `eth0`")))
	if err != nil {
		t.Fatal(err)
	}
	heard := map[string][]string{}
	p := lab.NewPlay(sc, lab.Netlink(), nil, lab.PlayOptions{Capture: func(of *scenario.SectionResult, c lab.Captured) {
		if len(c.Remarks) > 0 {
			t.Errorf("%s: %q", of.Title, c.Remarks)
		}
		heard[of.Title] = append(heard[of.Title], echoes(t, c.PCAPNG)...)
	}})
	defer p.Close()
	for i, want := range []scenario.Outcome{scenario.Pass, scenario.Pass} {
		if r := p.Step(t.Context(), i); r.Outcome != want {
			t.Errorf("%s: %s, %v", r.Title, r.Outcome, r.Err())
		}
	}
	if r := p.Mistake(t.Context(), 0, 0); r.Outcome != scenario.Fail {
		t.Errorf("%s: %s, %v", r.Title, r.Outcome, r.Err())
	}
	const command, probe = "during: ip netns exec a ping -c 1 10.0.0.2",
		"the checks after the commands, with the harness's own probes"
	for _, want := range []string{"b/eth0 EchoRequest " + command, "a/eth0 EchoReply " + command,
		"b/eth0 EchoRequest " + probe, "a/eth0 EchoReply " + probe} {
		if !slices.Contains(heard["Connect"], want) {
			t.Errorf("no %q in\n%s", want, strings.Join(heard["Connect"], "\n"))
		}
	}
	for _, title := range []string{"Delete", "the wrong address"} {
		if packets, there := heard[title]; !there || len(packets) > 0 {
			t.Errorf("%s: %v, %q", title, there, packets)
		}
	}
}

// echoes are the requests and replies of ping in a file.
func echoes(t *testing.T, file []byte) (all []string) {
	t.Helper()
	r, err := pcapgo.NewNgReader(bytes.NewReader(file), pcapgo.NgReaderOptions{WantMixedLinkType: true})
	if err != nil {
		t.Fatal(err)
	}
	for {
		data, ci, options, err := r.ReadPacketDataWithOptions()
		if err == io.EOF {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		on, err := r.Interface(ci.InterfaceIndex)
		if err != nil {
			t.Fatal(err)
		}
		icmp, _ := gopacket.NewPacket(data, on.LinkType, gopacket.Default).Layer(layers.LayerTypeICMPv4).(*layers.ICMPv4)
		if icmp != nil && strings.HasPrefix(icmp.TypeCode.String(), "Echo") {
			all = append(all, fmt.Sprintf("%s %s %s", on.Name, icmp.TypeCode, strings.Join(options.Comments, " ")))
		}
	}
}
