package doctor

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"netnscheck/harness/internal/cmd/screen"
	"netnscheck/harness/internal/kernel"
	"netnscheck/harness/scenario"
	"netnscheck/harness/term"
)

func TestWhatCanBeRunComesFirst(t *testing.T) {
	f := findings{
		Drivers: []string{"iproute2", "netlink"}, Scenarios: 3, Playable: 1, Kernel: "6.18", Architecture: "x86_64",
		Privilege: "root", Sandbox: true,
		Skipped: []skipped{{"vlan", []string{"vlan", "vlan-facts"}}, {"program:nft", []string{"vlan"}}},
		Programs: []item{{"ip", true, "present: /bin/ip"},
			{"nft", false, "absent (package nftables): scenarios about firewalls cannot run"}},
		Install:  "as root: apt-get install nftables",
		Features: []finding{{"vlan", kernel.Absent.String(), "operation not supported"}},
	}
	want := `can run    1 of 3 scenarios, with the drivers iproute2, netlink
skips      for want of vlan: vlan, vlan-facts
           for want of program:nft: vlan

kernel     6.18 x86_64
privilege  root
sandbox    possible

PROGRAM
ip       present: /bin/ip
nft      absent (package nftables): scenarios about firewalls cannot run

To have what is absent, as root: apt-get install nftables

FEATURE
vlan     absent: operation not supported

What is absent skips the scenarios that require it`
	var out bytes.Buffer
	if err := f.print(screen.Plain(&out, &out, false)); err != nil || !strings.HasPrefix(out.String(), want) {
		t.Errorf("%v, got\n%s\nwant\n%s", err, out.String(), want)
	}
	out.Reset()
	s := screen.Plain(&out, &out, false)
	s.Terminal, s.Columns = true, 60
	f.print(s)
	for line := range strings.Lines(out.String()) {
		if n := term.Width(strings.TrimSuffix(line, "\n")); n > 60 {
			t.Errorf("%d columns on a terminal of 60: %s", n, line)
		}
	}
	out.Reset()
	findings{}.print(screen.Plain(&out, &out, false))
	if !strings.HasPrefix(out.String(), "can run    nothing\n") ||
		!strings.Contains(out.String(), "sandbox    impossible\n") {
		t.Errorf("where no lab can be made it says\n%s", out.String())
	}
}

func TestLackingOf(t *testing.T) {
	f := findings{Features: []finding{
		{Name: "veth", Presence: kernel.Present.String()}, {Name: "vlan", Presence: kernel.Absent.String()},
		{Name: "tun", Presence: kernel.Unknown.String()},
	}}
	sc := &scenario.Scenario{Requires: []string{"veth", "vlan", "tun", "program:sh", "program:no-such-program"}}
	if got, want := f.lackingOf(sc), []string{"vlan", "program:no-such-program"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
