package fault_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"netnscheck/harness/diagnose"
	"netnscheck/harness/diagnose/causes"
	"netnscheck/harness/fault"
	"netnscheck/harness/scenario"
	"netnscheck/harness/state"
)

// captured is a lesson, the state at its end, and the goals.
func captured(t testing.TB, id string) (*scenario.Scenario, *state.State, []scenario.Check) {
	t.Helper()
	text, err := os.ReadFile("testdata/" + id + ".json")
	if err != nil {
		t.Fatal(err)
	}
	s, err := state.Decode(text)
	if err != nil {
		t.Fatal(err)
	}
	sc := lessons(t, id)[0]
	return sc, s, fault.Goals(sc, s)
}

func titles(faults []fault.Fault) string {
	var all []string
	for _, f := range faults {
		all = append(all, f.Title)
	}
	return strings.Join(all, "; ")
}

// TestSeed: the same seed, a number or a word, chooses the same faults; others choose others.
func TestSeed(t *testing.T) {
	_, s, goals := captured(t, "router")
	different := map[string]bool{}
	for _, seed := range []string{"", "0", "1", "1001", "anna", "Anna", "bert", "ÿ", strings.Repeat("long ", 1000)} {
		o := fault.Options{Faults: 2, Seed: seed}
		first, err := fault.Choose(s, goals, o)
		if err != nil {
			t.Fatal(err)
		}
		_, again, _ := captured(t, "router")
		second, err := fault.Choose(again, goals, o)
		if err != nil || titles(first) != titles(second) {
			t.Errorf("seed %.10q chooses %s, then %s: %v", seed, titles(first), titles(second), err)
		}
		different[titles(first)] = true
	}
	if len(different) < 8 {
		t.Errorf("9 seeds choose %d different faults", len(different))
	}
}

// TestLevel: faults have the wanted level, and any without one.
func TestLevel(t *testing.T) {
	_, s, goals := captured(t, "router")
	levels := map[int]bool{}
	for level := 0; level <= fault.Levels; level++ {
		for seed := range 30 {
			chosen, err := fault.Choose(s, goals, fault.Options{Level: level, Seed: fmt.Sprint(seed)})
			if err != nil || len(chosen) != 1 || level != 0 && chosen[0].Level != level {
				t.Fatalf("level %d: %s, %v", level, titles(chosen), err)
			}
			if level == 0 {
				levels[chosen[0].Level] = true
			}
		}
	}
	if len(levels) != fault.Levels {
		t.Errorf("without a level there are those of %v", levels)
	}
}

// TestEachIsNecessary: with all faults mended but one, whichever that is, something is still broken, and the diagnosis
// names that one. With all of them it names one of them. Nothing is done twice to one part.
func TestEachIsNecessary(t *testing.T) {
	_, s, goals := captured(t, "router")
	for seed := range 20 {
		chosen, err := fault.Choose(s, goals, fault.Options{Faults: 1 + seed%4, Seed: fmt.Sprint(seed)})
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range chosen {
			if c := firstCause(fault.Carried(s, f), goals); c == nil || !slices.Contains(f.Names, c.Name) {
				t.Errorf("%s alone: the diagnosis says %v", f.Title, c)
			}
			if len(f.Break) == 0 || len(f.Mend) == 0 {
				t.Errorf("%s has %d operations, and %d that mend it", f.Title, len(f.Break), len(f.Mend))
			}
		}
		c := firstCause(fault.Carried(s, chosen...), goals)
		if c == nil || !slices.ContainsFunc(chosen, func(f fault.Fault) bool {
			return slices.Contains(f.Names, c.Name)
		}) {
			t.Errorf("%s: the diagnosis says %v", titles(chosen), c)
		}
	}
}

func firstCause(s *state.State, goals []scenario.Check) *diagnose.Cause {
	for _, g := range goals {
		if q, ok := fault.QueryOf(g.Claim); ok {
			if c := diagnose.Diagnose(s, q).Cause; c != nil {
				return c
			}
		}
	}
	return nil
}

// TestSameOnEveryMachine: where a fault cannot be, since the kernel lacks a setting, those who draw another one draw
// the same as everybody.
func TestSameOnEveryMachine(t *testing.T) {
	_, s, goals := captured(t, "router")
	_, other, _ := captured(t, "router")
	const lacking = "net.ipv4.icmp_echo_ignore_all"
	for i := range other.Namespaces {
		n := &other.Namespaces[i]
		n.Sysctls = slices.DeleteFunc(n.Sysctls, func(s state.Sysctl) bool { return s.Key == lacking })
	}
	for seed := range 50 {
		for _, level := range []int{0, fault.Levels} {
			o := fault.Options{Seed: fmt.Sprint(seed), Level: level}
			here, err := fault.Choose(s, goals, o)
			if err != nil {
				t.Fatal(err)
			}
			there, err := fault.Choose(other, goals, o)
			if err != nil {
				t.Fatal(err)
			}
			if titles(here) != titles(there) && here[0].Name != causes.EchoIgnored {
				t.Errorf("%+v: here %s, there %s", o, titles(here), titles(there))
			}
		}
	}
}

// TestKindsAreAlikeLikely: no kind is drawn more often because candidates of the others are no faults.
func TestKindsAreAlikeLikely(t *testing.T) {
	_, s, goals := captured(t, "veth-pair")
	const seeds = 120
	loopback := 0
	for seed := range seeds {
		chosen, err := fault.Choose(s, goals, fault.Options{Seed: fmt.Sprint(seed), Level: 1})
		if err != nil {
			t.Fatal(err)
		}
		if chosen[0].Name == causes.LoopbackDown {
			loopback++
		}
	}
	if loopback < seeds/5 || loopback > seeds/2 { // one kind of three: links, addresses, loopbacks
		t.Errorf("%d of %d faults of level 1 are a loopback that is down", loopback, seeds)
	}
}

// TestFallbackTunnels: a machine that has loaded modules for tunnels can have the same faults as any other, and its
// page does not tell of their devices.
func TestFallbackTunnels(t *testing.T) {
	sc, s, goals := captured(t, "router")
	_, other, _ := captured(t, "router")
	for i := range other.Namespaces {
		n := &other.Namespaces[i]
		n.Links = append(n.Links, state.Link{Index: 99, Name: "tunl0", Kind: "ipip", MTU: 1480})
	}
	here, there := fault.Possible(s, goals), fault.Possible(other, goals)
	if titles(here) != titles(there) {
		t.Errorf("without there can be\n%s\nwith them\n%s", titles(here), titles(there))
	}
	for _, finished := range []*state.State{s, other} {
		p, err := fault.Page(sc, finished, goals, here[:1])
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(p.Source, "tunl0") {
			t.Error(p.Source)
		}
	}
}

// TestProgramsOfFaults: a network without packet filters gets one at level 3 alone, where the seed may draw it.
func TestProgramsOfFaults(t *testing.T) {
	_, s, goals := captured(t, "router")
	for level := range fault.Levels + 1 {
		needing := 0
		for seed := range 60 {
			chosen, err := fault.Choose(s, goals, fault.Options{Seed: fmt.Sprint(seed), Level: level})
			if err != nil {
				t.Fatal(err)
			}
			if slices.Equal(chosen[0].Programs, []string{"nft"}) {
				needing++
			} else if len(chosen[0].Programs) > 0 {
				t.Errorf("%s takes %v", chosen[0].Title, chosen[0].Programs)
			}
		}
		if (needing > 0) != (level == fault.Levels) {
			t.Errorf("at level %d, %d of 60 seeds need nft", level, needing)
		}
	}
}

// TestVLAN: a VLAN with another tag is a fault, which is mended by one with the right tag, its addresses included.
func TestVLAN(t *testing.T) {
	sc, s, _ := captured(t, "veth-pair")
	tagged := fault.OnVLANs(s, 10)
	found := 0
	for _, f := range fault.Possible(tagged, fault.Goals(sc, tagged)) {
		if f.Name != causes.VLANMismatch {
			continue
		}
		found++
		if f.Title != "`vnic-testns.10` in `testns` has the VLAN identifier 11, not 10" {
			continue
		}
		want := []string{
			"ip -n testns link delete dev vnic-testns.10",
			"ip -n testns link add name vnic-testns.10 mtu 1500 link vnic-testns type vlan id 10",
			"ip -n testns link set dev vnic-testns.10 up",
			"ip -n testns address add 192.168.2.103/24 dev vnic-testns.10",
		}
		if diff := cmp.Diff(want, fault.Commands(f.Mend)); diff != "" {
			t.Error(diff)
		}
	}
	if found != 2 {
		t.Errorf("%d faults are a VLAN mismatch, want one at each end", found)
	}
	full := fault.OnVLANs(s, 4094)
	for _, f := range fault.Possible(full, fault.Goals(sc, full)) {
		if f.Name == causes.VLANMismatch {
			t.Errorf("beyond the highest identifier: %s", f.Title)
		}
	}
}

// TestCannotChoose: what cannot be done is told with its reason.
func TestCannotChoose(t *testing.T) {
	_, s, goals := captured(t, "veth-pair")
	still := slices.DeleteFunc(slices.Clone(goals), func(g scenario.Check) bool {
		return g.Claim.Needs().Question != nil ||
			strings.HasPrefix(g.Text, "nothing is wrong")
	})
	for _, c := range []struct {
		options fault.Options
		goals   []scenario.Check
		want    string
	}{
		{fault.Options{Faults: -1}, goals, "put in -1 faults: there can be 1 to 5 at a time"},
		{fault.Options{Faults: 6}, goals, "put in 6 faults: there can be 1 to 5 at a time"},
		{fault.Options{Level: 4}, goals, "put in faults of level 4: the levels are 1 to 3"},
		{fault.Options{}, still, "nothing would show it"},
		{fault.Options{Faults: 5, Level: 1}, goals, "of those of this network go together"},
	} {
		_, err := fault.Choose(s, c.goals, c.options)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: %v, want %q", c.options, err, c.want)
		}
	}
}

// TestPossible: the makers find what a veth pair can have.
func TestPossible(t *testing.T) {
	_, s, goals := captured(t, "veth-pair")
	names := map[string]bool{}
	for _, f := range fault.Possible(s, goals) {
		names[f.Name.String()] = true
	}
	for _, want := range []string{"link-down", "peer-down", "no-address", "address-nowhere", "prefix-mismatch",
		"connected-route-missing", "route-blackhole", "same-namespace", "arp-off", "neighbour-wrong", "rule-diverts",
		"filter-input", "filter-output", "echo-ignored", "duplicate-address"} {
		if !names[want] {
			t.Errorf("no fault is %s", want)
		}
	}
}
