package claim

import (
	"strings"
	"testing"

	"netnscheck/harness/state"
)

// judged compares findings: for each sentence whether it holds, and what is found.
func judged(t *testing.T, known Evidence, cases []struct {
	sentence string
	holds    bool
	found    string
}) {
	t.Helper()
	for _, c := range cases {
		claim, err := Parse(c.sentence)
		if err != nil {
			t.Error(err)
			continue
		}
		if said := claim.Sentence(); said != c.sentence {
			t.Errorf("%s is said as %s", c.sentence, said)
		}
		if got := claim.Judge(known); got.Holds != c.holds || got.Found != c.found || got.Err != nil {
			t.Errorf("%s: %+v, want %v, %q", c.sentence, got, c.holds, c.found)
		}
	}
}

// refused compares the whole messages of sentences that are no checks.
func refused(t *testing.T, messages map[string]string) {
	t.Helper()
	for sentence, want := range messages {
		if c, err := Parse(sentence); err == nil || err.Error() != want {
			t.Errorf("%s: %v, %v, want %s", sentence, c, err, want)
		}
	}
}

func TestAttributes(t *testing.T) {
	known := Evidence{State: &state.State{Namespaces: []state.Namespace{{Name: "n", Links: []state.Link{
		{Name: "eth0", Kind: "veth", TxQLen: 1000, Group: 0, AltNames: []string{"first", "second"}},
		{Name: "p1", Kind: "veth", Master: "br0", Port: &state.Port{State: "forwarding", Cost: 2, Priority: 32,
			Isolated: true, NoFlood: true, NoMulticastFlood: true, Locked: true}},
		{Name: "br0", Kind: "bridge", Bridge: &state.Bridge{STP: 2, Priority: 4096, VLANFiltering: true,
			VLANProtocol: "802.1ad", AgeingTime: 30000, GroupForwardMask: 8}},
	}}}}}
	judged(t, known, []struct {
		sentence string
		holds    bool
		found    string
	}{
		{"the attribute `isolated` of `p1` in `n` is `on`", true, "isolated is on"},
		{"the attribute `isolated` of `p1` in `n` is `off`", false, "isolated is on"},
		{"the attribute `isolated` of `p1` in `n` is not `on`", false, "isolated is on"},
		{"the attribute `hairpin` of `p1` in `n` is not `on`", true, "hairpin is off"},
		{"the attribute `learning` of `p1` in `n` is `on`", true, "learning is on"},
		{"the attribute `flood` of `p1` in `n` is `off`", true, "flood is off"},
		{"the attribute `mcast_flood` of `p1` in `n` is `off`", true, "mcast_flood is off"},
		{"the attribute `bcast_flood` of `p1` in `n` is `on`", true, "bcast_flood is on"},
		{"the attribute `locked` of `p1` in `n` is `on`", true, "locked is on"},
		{"the attribute `state` of `p1` in `n` is `forwarding`", true, "state is forwarding"},
		{"the attribute `state` of `p1` in `n` is not `blocking`", true, "state is forwarding"},
		{"the attribute `cost` of `p1` in `n` is `2`", true, "cost is 2"},
		{"the attribute `priority` of `p1` in `n` is `32`", true, "priority is 32"},
		{"the attribute `priority` of `br0` in `n` is `4096`", true, "priority is 4096"},
		{"the attribute `isolated` of `eth0` in `n` is `off`", false, "eth0 is not a port of a bridge"},
		{"the attribute `isolated` of `eth0` in `n` is not `on`", false, "eth0 is not a port of a bridge"},
		{"the attribute `isolated` of `br0` in `n` is not `on`", false, "br0 is not a port of a bridge"},
		{"the attribute `priority` of `eth0` in `n` is not `0`", false, "eth0 is neither a bridge nor a port of one"},
		{"the attribute `vlan_filtering` of `br0` in `n` is `on`", true, "vlan_filtering is on"},
		{"the attribute `vlan_filtering` of `br0` in `n` is `1`", true, "vlan_filtering is on"},
		{"the attribute `vlan_filtering` of `br0` in `n` is not `0`", true, "vlan_filtering is on"},
		{"the attribute `vlan_filtering` of `p1` in `n` is not `1`", false, "p1 is not a bridge"},
		{"the attribute `stp_state` of `br0` in `n` is `on`", true, "stp_state is on"}, // in a program's hands
		{"the attribute `mcast_snooping` of `br0` in `n` is `off`", true, "mcast_snooping is off"},
		{"the attribute `vlan_protocol` of `br0` in `n` is `802.1ad`", true, "vlan_protocol is 802.1ad"},
		{"the attribute `ageing_time` of `br0` in `n` is `30000`", true, "ageing_time is 30000"},
		{"the attribute `group_fwd_mask` of `br0` in `n` is `0x8`", true, "group_fwd_mask is 8"},
		{"the attribute `txqueuelen` of `eth0` in `n` is `01000`", true, "txqueuelen is 1000"},
		{"the attribute `txqueuelen` of `eth0` in `n` is not `500`", true, "txqueuelen is 1000"},
		{"the attribute `altname` of `eth0` in `n` is `second`", true, "altname is first, second"},
		{"the attribute `altname` of `eth0` in `n` is not `second`", false, "altname is first, second"},
		{"the attribute `altname` of `p1` in `n` is not `second`", true, "altname is none"},
		{"the attribute `isolated` of `p7` in `n` is not `on`", false,
			"there is no interface p7 in n; the nearest name is p1 in n"},
		{"`p1` in `n` is not a `bridge`", true, "it is a veth"},
		{"`p1` in `n` is not a `veth`", false, "it is a veth"},
		{"`lo` in `n` is not a `veth`", false, "there is no interface lo in n"},
	}[:])
	refused(t, map[string]string{
		"the attribute `isolted` of `p1` in `n` is `on`": `check: unknown attribute "isolted", ` +
			`did you mean isolated?`,
		"the attribute `flod` of `p1` in `n` is not `on`":  `check: unknown attribute "flod", did you mean flood?`,
		"the attribute `isolated` of `p1` in `n` is `yes`": `check: unknown value of isolated "yes" (known: on, off)`,
		"the attribute `isolated` of `p1` in `n` is `1`":   `check: unknown value of isolated "1" (known: on, off)`,
		"the attribute `state` of `p1` in `n` is `forwarding,`": `check: unknown value of state "forwarding,", ` +
			`did you mean forwarding?`,
		"the attribute `stp_state` of `br0` in `n` is `onn`": `check: unknown value of stp_state "onn", ` +
			`did you mean on?`,
		"the attribute `cost` of `p1` in `n` is `low`": `check: expected a number for cost, found "low"`,
		"the attribute `cost` of `p1` in `n` is `-1`":  `check: expected a number for cost, found "-1"`,
		"`p1` in `n` is no `veth`": "unknown check “`p1` in `n` is no `veth`”; the nearest form is " +
			"“`X` in `N` is not a `veth`”",
	})
	_, err := Parse("the attribute `zzz` of `p1` in `n` is `on`")
	if err == nil || !strings.HasPrefix(err.Error(), `check: unknown attribute "zzz" (known: txqueuelen, alias, `) {
		t.Errorf("an attribute with no near name: %v", err)
	}
}

func TestVLANs(t *testing.T) {
	vlans := []state.PortVLAN{{ID: 1, PVID: true, Untagged: true}, {ID: 10}, {ID: 11}, {ID: 12},
		{ID: 20, Untagged: true}}
	known := Evidence{State: &state.State{Namespaces: []state.Namespace{
		{Name: "n", Links: []state.Link{
			{Name: "p1", Kind: "veth", Master: "br0", Port: &state.Port{VLANs: vlans}},
			{Name: "p2", Kind: "veth", Master: "br1", Port: &state.Port{VLANs: vlans[1:2]}},
			{Name: "p3", Kind: "veth", Master: "br0", Port: &state.Port{}},
			{Name: "br0", Kind: "bridge", Bridge: &state.Bridge{VLANFiltering: true, VLANProtocol: "802.1Q",
				VLANs: vlans[:1]}},
			{Name: "br1", Kind: "bridge", Bridge: &state.Bridge{VLANProtocol: "802.1Q"}},
			{Name: "eth0", Kind: "veth"},
		}},
		{Name: "old", Links: []state.Link{{Name: "br0", Kind: "bridge", Bridge: &state.Bridge{}},
			{Name: "p1", Master: "br0", Port: &state.Port{}}}},
	}}}
	const ofP1 = "its VLANs: 1 PVID untagged, 10-12, 20 untagged"
	judged(t, known, []struct {
		sentence string
		holds    bool
		found    string
	}{
		{"`p1` in `n` carries the VLAN `10`", true, ofP1},
		{"`p1` in `n` carries the VLAN `12`", true, ofP1},
		{"`p1` in `n` carries the VLAN `13`", false, ofP1},
		{"`p1` in `n` carries the VLAN `10` untagged", false, ofP1},
		{"`p1` in `n` carries the VLAN `20` untagged", true, ofP1},
		{"`p1` in `n` carries the VLAN `20`", true, ofP1},
		{"`p1` in `n` carries the VLAN `1`", true, ofP1},
		{"`p1` in `n` does not carry the VLAN `20`", false, ofP1},
		{"`p1` in `n` does not carry the VLAN `30`", true, ofP1},
		{"`p2` in `n` carries the VLAN `10`", true, "its VLANs: 10; br1 does not filter by VLAN"},
		{"`p3` in `n` does not carry the VLAN `10`", true, "its VLANs: none"},
		{"`br0` in `n` carries the VLAN `1` untagged", true, "its VLANs: 1 PVID untagged"},
		{"`br1` in `n` carries the VLAN `1`", false, "its VLANs: none; br1 does not filter by VLAN"},
		{"`eth0` in `n` does not carry the VLAN `10`", false, "eth0 is neither a bridge nor a port of one"},
		{"`eth1` in `n` does not carry the VLAN `10`", false,
			"there is no interface eth1 in n; the nearest name is eth0 in n"},
	})
	for _, sentence := range []string{"`br0` in `old` does not carry the VLAN `1`",
		"`p1` in `old` carries the VLAN `1`"} {
		c, err := Parse(sentence)
		if err != nil {
			t.Fatal(err)
		}
		const want = "not judged: the kernel has no VLAN tables for bridges"
		if got := c.Judge(known); got.Err == nil || got.Err.Error() != want {
			t.Errorf("%s on a kernel without VLAN filtering: %+v", sentence, got)
		}
	}
	refused(t, map[string]string{
		"`p1` in `n` carries the VLAN `0`":    `check: expected the id of a VLAN from 1 to 4094, found "0"`,
		"`p1` in `n` carries the VLAN `4095`": `check: expected the id of a VLAN from 1 to 4094, found "4095"`,
		"`p1` in `n` carries VLAN `10`": "unknown check “`p1` in `n` carries VLAN `10`”; the nearest form is " +
			"“`p1` in `N` carries the VLAN `10`”",
		"`p1` in `n` carries the VLAN `10` tagged": "unknown check “`p1` in `n` carries the VLAN `10` tagged”; " +
			"the nearest form is “`p1` in `N` carries the VLAN `10` untagged”",
	})
}

func TestGroups(t *testing.T) {
	known := Evidence{
		State:  &state.State{Namespaces: []state.Namespace{{Name: "n", Links: []state.Link{{Name: "x"}}}}},
		Groups: Memberships{IPv4: []string{"224.0.0.1", "239.1.2.3"}, IPv6: []string{"ff02::1"}},
	}
	judged(t, known, []struct {
		sentence string
		holds    bool
		found    string
	}{
		{"`x` in `n` has joined the group `ff02::1`", true, "its IPv6 groups: ff02::1"},
		{"`x` in `n` has not joined the group `ff02::1`", false, "its IPv6 groups: ff02::1"},
		{"`x` in `n` has joined the group `ff02::2`", false, "its IPv6 groups: ff02::1"},
		{"`x` in `n` has joined the group `239.1.2.3`", true, "its IPv4 groups: 224.0.0.1, 239.1.2.3"},
		{"`x` in `n` has not joined the group `33:33:00:00:00:01`", true, "its MAC groups: none"},
		{"`y` in `n` has not joined the group `ff02::2`", false,
			"there is no interface y in n; the nearest name is x in n"},
	})
	if c, err := Parse("`x` in `n` has joined the group `FF02:0::1`"); err != nil || !c.Judge(known).Holds {
		t.Errorf("another spelling: %v, %v", c, err)
	}
	want := "expected a multicast address such as ff02::1, 224.0.0.1 or 33:33:00:00:00:01, found "
	refused(t, map[string]string{
		"`x` in `n` has joined the group `fe80::1`":           "check: " + want + `"fe80::1"`,
		"`x` in `n` has joined the group `10.0.0.1`":          "check: " + want + `"10.0.0.1"`,
		"`x` in `n` has joined the group `ff02::1%x`":         "check: " + want + `"ff02::1%x"`,
		"`x` in `n` has joined the group `02:00:00:00:00:01`": "check: " + want + `"02:00:00:00:00:01"`,
		"`x` in `n` joined the group `ff02::1`": "unknown check “`x` in `n` joined the group `ff02::1`”; the " +
			"nearest form is “`X` in `N` has joined the group `ff02::1`”",
	})
}

func TestCounters(t *testing.T) {
	for sentence, want := range map[string]struct {
		before, now uint64
		holds       bool
		found       string
	}{
		"the counter `IpInReceives` in `n` grew by at least `3`":        {2, 5, true, "it grew by 3"},
		"the counter `IpInReceives` in `n` grew by at least `2`":        {2, 5, true, "it grew by 3"},
		"the counter `IpInReceives` in `n` grew by at least `4`":        {2, 5, false, "it grew by 3"},
		"the counter `IpInReceives` in `n` grew by `2`":                 {2, 5, false, "it grew by 3"},
		"the counter `rx_packets` of `x` in `n` grew by at least `1`":   {7, 5, false, "it is 5, and was 7 before"},
		"the counter `rx_packets` of `x` in `n` did not grow":           {7, 5, false, "it is 5, and was 7 before"},
		"the counter `rx_packets` of `x` in `n` grew by at least `300`": {0, 300, true, "it grew by 300"},
	} {
		c, err := Parse(sentence)
		if err != nil {
			t.Error(err)
			continue
		}
		counted := CounterMovement{want.before, map[string]uint64{"IpInReceives": want.now, "rx_packets": want.now}}
		if got := c.Judge(Evidence{Counter: counted}); got.Holds != want.holds || got.Found != want.found {
			t.Errorf("%s from %d to %d: %+v", sentence, want.before, want.now, got)
		}
		if said := c.Sentence(); said != sentence {
			t.Errorf("%s is said as %s", sentence, said)
		}
	}
	refused(t, map[string]string{
		"the counter `IpInReceives` in `n` grew by at least `0`": "check: expected a number from 1 (0 is written: " +
			`did not grow), found "0"`,
		"the counter `IpInReceives` in `n` grew at least by `3`": "unknown check “the counter `IpInReceives` in `n` " +
			"grew at least by `3`”; the nearest form is “the counter `IpInReceives` in `N` grew by at least `3`”",
		"the counter `rx_packets` of `x` in `n` grew at least `3`": "unknown check “the counter `rx_packets` of `x` in " +
			"`n` grew at least `3`”; the nearest form is “the counter `rx_packets` of `X` in `N` grew by at least `3`”",
		"the counter `IpInReceives` in `n` grew by at last `3`": "unknown check “the counter `IpInReceives` in `n` " +
			"grew " +
			"by at last `3`”; the nearest form is “the counter `IpInReceives` in `N` grew by at least `3`”",
	})
}
