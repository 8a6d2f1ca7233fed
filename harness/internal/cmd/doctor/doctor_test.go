package doctor

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"netnscheck/harness/internal/cmd/machine"
	"netnscheck/harness/internal/cmd/screen"
	"netnscheck/harness/internal/kernel"
	"netnscheck/harness/scenario"
	"netnscheck/harness/term"
)

func TestWhatCanBeRunComesFirst(t *testing.T) {
	f := findings{
		Drivers: []string{"iproute2", "netlink"}, Scenarios: 3, Playable: 1, Kernel: "6.18", Architecture: "x86_64",
		Privilege: "root", Sandbox: true,
		Skipped:   []skipped{{"vlan", []string{"vlan", "vlan-facts"}}, {"program:nft", []string{"vlan"}}},
		Undecided: []undecided{{"tun", []string{"tun-facts"}}},
		Programs: []item{{"ip", true, "present: /bin/ip"},
			{"nft", false, "absent (package nftables): scenarios about firewalls cannot run"}},
		Install: "as root: apt-get install nftables",
		Features: []machine.Feature{{Name: "vlan", Presence: kernel.Absent.String(),
			Reason: "operation not supported"}},
	}
	want := `can run    1 of 3 scenarios, with the drivers iproute2, netlink
skips      for lack of vlan: vlan, vlan-facts
           for lack of program:nft: vlan
in doubt   could not tell whether tun is here: tun-facts

kernel     6.18 x86_64
privilege  root
sandbox    possible

PROGRAM
ip       present: /bin/ip
nft      absent (package nftables): scenarios about firewalls cannot run

To install what is absent, as root: apt-get install nftables

FEATURE
vlan     absent: operation not supported

Scenarios that require an absent feature are skipped`
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

// TestEachScenarioIsCountedOnce: as one that is played, skipped or, where a run would end it with an error, undecided.
func TestEachScenarioIsCountedOnce(t *testing.T) {
	f := findings{Features: []machine.Feature{
		{Name: "veth", Presence: kernel.Present.String()}, {Name: "vlan", Presence: kernel.Absent.String()},
		{Name: "tun", Presence: kernel.Unknown.String()},
	}}
	for id, requires := range map[string][]string{
		"played": {"veth", "program:sh"}, "skipped": {"vlan", "veth", "program:no-such-program"},
		"undecided": {"veth", "vlan", "tun"}, "not tried": {"macvlan"},
	} {
		f.sort(&scenario.Scenario{ID: id, Requires: requires})
	}
	slices.SortFunc(f.Undecided, func(a, b undecided) int { return strings.Compare(a.Feature, b.Feature) })
	want := findings{
		Features: f.Features, Playable: 1,
		Skipped:   []skipped{{"vlan", []string{"skipped"}}, {"program:no-such-program", []string{"skipped"}}},
		Undecided: []undecided{{"macvlan", []string{"not tried"}}, {"tun", []string{"undecided"}}},
	}
	if diff := cmp.Diff(want, f); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
