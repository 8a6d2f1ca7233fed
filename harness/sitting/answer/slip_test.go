package answer_test

import (
	"net/netip"
	"testing"

	"netnscheck/harness/sitting"
	"netnscheck/harness/sitting/answer"
	"netnscheck/harness/state"
	"netnscheck/scenarios"
)

// pair is the tutorial's network: two namespaces and a cable, whose ends are on the host or have moved, and may have
// addresses.
func pair(moved bool, addresses ...string) *state.State {
	lo := state.Link{Index: 1, Name: "lo", Kind: "loopback", MTU: 65536}
	end := func(index, other int, name, peer string) state.Link {
		l := state.Link{Index: index, Name: name, Kind: "veth", MTU: 1500, MAC: "02:00:00:00:00:0" + name[3:4],
			Peer: &state.LinkRef{Index: other, Name: peer, Netns: state.Host}}
		if i := index - 4; i < len(addresses) && addresses[i] != "" {
			l.Addresses = []state.Address{{Prefix: netip.MustParsePrefix(addresses[i]), Scope: "global"}}
		}
		return l
	}
	p, t := end(4, 5, "vnix-prodns", "vnic-testns"), end(5, 4, "vnic-testns", "vnix-prodns")
	host, prodns, testns := []state.Link{lo}, []state.Link{lo}, []state.Link{lo}
	if moved {
		p.Peer.Netns, t.Peer.Netns = "testns", "prodns"
		prodns, testns = append(prodns, p), append(testns, t)
	} else {
		host = append(host, p, t)
	}
	rules := []state.Rule{{Family: 4, Table: state.TableLocal, Action: "lookup"},
		{Family: 4, Priority: 32766, Table: state.TableMain, Action: "lookup"}}
	return &state.State{Namespaces: []state.Namespace{
		{Name: state.Host, Inode: 1, Links: host, Rules: rules},
		{Name: "prodns", Inode: 2, Links: prodns, Rules: rules},
		{Name: "testns", Inode: 3, Links: testns, Rules: rules},
	}}
}

// TestSlips: what is told of a command that was refused because of how it is written.
func TestSlips(t *testing.T) {
	sc, err := scenarios.ByID("veth-pair")
	if err != nil {
		t.Fatal(err)
	}
	const withoutDev = "addr add without dev"
	for _, c := range []struct {
		step        int // from 1
		line, title string
	}{
		{1, "ip netns testns", "A word is missing: `add`, before `testns`"},
		{1, "ip add netns testns", "Two words are in the wrong order: it is `netns add`"},
		{1, "netns add testns", "A word is missing: `ip`, before `netns`"},
		{4, "ip link set vnix-prodns prodns", "A word is missing: `netns`, before `prodns`"},
		{4, "ip link vnix-prodns set netns prodns", "Two words are in the wrong order: it is `set vnix-prodns`"},
		{4, "ip link set dev vnix-prodns netns", ""},
		{4, "ip link set vnix-prodns@vnic-testns netns prodns",
			"There is no interface `vnix-prodns@vnic-testns` in `host`; its name is `vnix-prodns`"},
		{4, "ip -n prodns link set vnix-prodns netns prodns",
			"There is no interface `vnix-prodns` in `prodns`; it is in `host`"},
		{5, "ip addr add 192.168.2.103/24 dev vnic-testns", "forgetting that the interface has moved"},
		{5, "ip -n testns addr add 192.168.2.103/24", withoutDev},
		{5, "ip -n testns addr add 192.168.2.103/24 vnic-testns", withoutDev},
		{5, "ip -n prodns addr 192.168.2.102/24 dev vnix-prodns",
			"A word is missing: `add`, before `192.168.2.102/24`"},
		{5, "ip -n prodns add addr 192.168.2.102/24 dev vnix-prodns",
			"Two words are in the wrong order: it is `addr add`"},
		{5, "ip prodns addr add 192.168.2.102/24 dev vnix-prodns",
			"`ip` does not know the word `prodns`; a namespace is named with `ip -n`"},
		{5, "ip prodns", "`ip` does not know the word `prodns`; a namespace is named with `ip -n`"},
		{5, "ip netns prodns addr add 192.168.2.102/24 dev vnix-prodns",
			"`ip` does not know the word `prodns`; a namespace is named with `ip -n`"},
		{5, "ip netns exec prodns addr add 192.168.2.102/24 dev vnix-prodns", "A word is missing: `ip`, before `addr`"},
		{5, "ip netns exec ip addr add 192.168.2.102/24 dev vnix-prodns", "There is no namespace `ip`"},
		{5, "ip -n prodns addr add 192.168.2.1022/24 dev vnix-prodns", ""}, // ip says all of it
		{6, "ip -n prodns link vnix-prodns up", "A word is missing: `set`, before `vnix-prodns`"},
		{6, "ip netns exec prodns link set vnix-prodns up", "A word is missing: `ip`, before `link`"},
	} {
		s := pair(c.step > 4)
		if c.step == 1 {
			s.Namespaces = s.Namespaces[:1]
			s.Namespaces[0].Links = s.Namespaces[0].Links[:1]
		}
		if got := title(answer.Find(answer.Facts{Scenario: sc, Step: c.step - 1, Before: s, After: s, Whole: s,
			Line: c.line, Status: 1})); got != c.title {
			t.Errorf("step %d, %s:\n got %s\nwant %s", c.step, c.line, got, c.title)
		}
	}
}

// TestPlaces: what is told of a command that did something, but not what or where the step asks for; with its line and,
// as in a plain sh, without.
func TestPlaces(t *testing.T) {
	sc, err := scenarios.ByID("veth-pair")
	if err != nil {
		t.Fatal(err)
	}
	alone, uncabled := pair(true), pair(true)
	alone.Namespaces = alone.Namespaces[:2]
	alone.Namespaces[1].Links = alone.Namespaces[1].Links[:1]
	for i := range uncabled.Namespaces {
		uncabled.Namespaces[i].Links = uncabled.Namespaces[i].Links[:1]
	}
	for _, c := range []struct {
		step          int // from 1
		before, after *state.State
		line, title   string
	}{
		{5, pair(true), pair(true, "192.168.2.103/24"), "ip -n prodns addr add 192.168.2.103/24 dev vnix-prodns",
			"`vnix-prodns` in `prodns` got `192.168.2.103/24`; this step asks for it on `vnic-testns` in `testns`"},
		{5, pair(true), pair(true, "192.168.2.12/24"), "ip -n prodns addr add 192.168.2.12/24 dev vnix-prodns",
			"`vnix-prodns` in `prodns` got `192.168.2.12/24`; this step asks for `192.168.2.102/24`"},
		{5, pair(true), pair(true, "192.168.2.102/16"), "ip -n prodns addr add 192.168.2.102/16 dev vnix-prodns",
			"`vnix-prodns` in `prodns` got `192.168.2.102/16`, not `192.168.2.102/24`"},
		{5, pair(true), pair(true, "192.168.2.102/24"), "ip -n prodns addr add 192.168.2.102/24 dev vnix-prodns", ""},
		{5, pair(true), alone, "ip netns del testns",
			"`testns` is gone, which this step needs; `lab reset --step` begins it anew"},
		{5, pair(true), uncabled, "ip -n prodns link del vnix-prodns",
			"`vnix-prodns` is gone, which this step needs; `lab reset --step` begins it anew"},
		{3, uncabled, pair(false), "ip link add vnix-prodns type veth peer name vnic-testns", ""},
		{3, pair(false), uncabled, "ip link del vnix-prodns", ""}, // the step makes it
	} {
		for _, line := range []string{c.line, ""} {
			if got := title(answer.Find(answer.Facts{Scenario: sc, Step: c.step - 1, Before: c.before, After: c.after,
				Whole: c.after, Line: line})); got != c.title {
				t.Errorf("step %d, %s (%q):\n got %s\nwant %s", c.step, c.line, line, got, c.title)
			}
		}
	}
}

// TestPingedElsewhere: a ping that hears nothing was sent from another namespace than the step is about.
func TestPingedElsewhere(t *testing.T) {
	sc, err := scenarios.ByID("veth-pair")
	if err != nil {
		t.Fatal(err)
	}
	now := pair(true, "192.168.2.102/24", "192.168.2.103/24")
	for line, want := range map[string]string{
		"ping -c1 192.168.2.103":                      "That was sent from `host`; this step is about `prodns`",
		"ip netns exec prodns ping -c1 192.168.2.102": "That was sent from `prodns`; this step is about `testns`",
		"ip netns exec testns ping -c1 192.168.2.102": "vnic-testns in testns is administratively down, so its " +
			"routes are gone",
		"ip netns exec prodns ping -c1 192.168.2.103":  "neither end is up",
		"ip netns exec nowhere ping -c1 192.168.2.103": "There is no namespace `nowhere`",
	} {
		if got := title(answer.Find(answer.Facts{Scenario: sc, Step: 5, Before: now, After: now, Whole: now, Line: line,
			Status: 1})); got != want {
			t.Errorf("%s:\n got %s\nwant %s", line, got, want)
		}
	}
}

// TestElsewhere: the same at a step that only looks, whose checks hold.
func TestElsewhere(t *testing.T) {
	sc, err := scenarios.ByID("veth-pair")
	if err != nil {
		t.Fatal(err)
	}
	now := pair(true, "192.168.2.102/24", "192.168.2.103/24")
	for line, want := range map[string]string{
		"ping 192.168.2.103":                          "That was sent from `host`; this step is about `prodns`",
		"ip netns exec testns ping -c1 192.168.2.103": "That was sent from `testns`; this step is about `prodns`",
		"ip netns exec prodns ping -c1 192.168.2.103": "",
		"ping 192.168.2.104":                          "",
		"ip route get 192.168.2.103":                  "",
	} {
		f := answer.Facts{Scenario: sc, Step: 6, After: now, Line: line, Status: 1}
		if got := title(answer.Elsewhere(f)); got != want {
			t.Errorf("%s:\n got %s\nwant %s", line, got, want)
		}
		if f.Exam = true; answer.Elsewhere(f) != nil {
			t.Errorf("%s: it is told in an exam", line)
		}
	}
}

func title(a *sitting.Answer) string {
	if a == nil {
		return ""
	}
	return a.Title
}

// TestRepairsAreForAShell: a name that a learner has given to a link is one word of the command that he is offered.
func TestRepairsAreForAShell(t *testing.T) {
	sc := small(t)
	before, after := ends(), ends()
	for _, s := range []*state.State{before, after} {
		left := s.Namespace("left")
		left.Links = append(left.Links, state.Link{Index: 3, Name: "x;id", Kind: "veth"})
	}
	link := after.Namespace("left").Link("x;id")
	link.Addresses = []state.Address{{Prefix: netip.MustParsePrefix("10.0.0.1/24"), Scope: "global"}}
	a := answer.Find(answer.Facts{Scenario: sc, Before: before, After: after, Whole: after,
		Line: "ip -n left addr add 10.0.0.1/24 dev 'x;id'"})
	if want := "ip -n left addr del 10.0.0.1/24 dev 'x;id'"; a == nil || a.Repair != want {
		t.Errorf("got %+v, want the repair %s", a, want)
	}
}
