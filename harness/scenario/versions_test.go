package scenario

import "testing"

func TestConditions(t *testing.T) {
	for _, c := range []struct {
		op, want, have string
		holds          bool
	}{
		{">=", "6.2", "6.12.1", true}, {">=", "6.12", "6.2", false}, {">=", "6.2", "6.2", true},
		{">=", "6.2.0", "6.2", true},
		{"<", "6.2", "6.12", false}, {"<", "6.12", "6.2.99", true}, {"<", "6.2", "6.2.5", false},
		{"<=", "6.2", "6.2.5", true}, {">", "6.2", "6.2.5", false}, {">", "6.2", "6.3", true},
		{"=", "6.2", "6.2.5", true}, {"=", "6.2.4", "6.2.5", false}, {"=", "6", "6.2.5", true},
		{">=", "6.19", "6.19.0-rc1", true}, {"<", "6.19", "6.19-rc1", false},
		{">=", "6.1", "6.1.0-3", true}, {">=", "6.1.0-4", "6.1.0-3", false}, {"<", "6.1.0-4", "6.1.0-3", true},
		{"=", "6.1.0-3", "6.1.0", true},
		{">=", "6.18", "6.18.44-cloud-amd64", true}, {">=", "6.1", "iproute2-6.1.0, libbpf 1.1.2", true},
		{">=", "1.36", "BusyBox v1.35.0 (Debian 1:1.35.0-4)", false},
		{">=", "6.2", "", false}, {"<", "6.2", "", false}, {">=", "6.2", "unknown", false},
		{"<", "99999999999999999999999", "6.2", false}, // not a version: no condition holds
	} {
		m := Machine{Versions: map[string]string{"kernel": c.have}}
		if got := (Condition{"kernel", c.op, c.want}).Holds(m); got != c.holds {
			t.Errorf("kernel%s%s holds for %q: %v", c.op, c.want, c.have, got)
		}
	}
}

func TestBlockFor(t *testing.T) {
	m := Machine{map[string]string{"kernel": "6.18.44", "iproute2": "6.1.0"},
		map[string]bool{"veth": true, "netkit": false}}
	kernel := Condition{"kernel", ">=", "6.2"}
	busybox := Condition{"busybox", "<", "9"}
	has, hasNot := func(f string) Condition { return Condition{with, "=", f} },
		func(f string) Condition { return Condition{without, "=", f} }
	for _, c := range []struct {
		block  Block
		driver string
		want   bool
	}{
		{Block{}, "netlink", true},
		{Block{Drivers: []string{"iproute2"}}, "netlink", false},
		{Block{Drivers: []string{"iproute2", "netlink"}}, "netlink", true},
		{Block{Conditions: []Condition{kernel}}, "netlink", true},
		{Block{Conditions: []Condition{kernel, busybox}}, "netlink", false}, // no condition on an unknown version holds
		{Block{Drivers: []string{"busybox"}, Conditions: []Condition{kernel}}, "iproute2", false},
		{Block{Conditions: []Condition{has("veth")}}, "netlink", true},
		{Block{Conditions: []Condition{hasNot("veth")}}, "netlink", false},
		{Block{Conditions: []Condition{has("netkit")}}, "netlink", false},
		{Block{Conditions: []Condition{hasNot("netkit")}}, "netlink", true},
		{Block{Conditions: []Condition{hasNot("netkit"), has("veth"), kernel}}, "netlink", true},
		{Block{Conditions: []Condition{has("ipv6")}}, "netlink", false}, // unknown: neither with nor without
		{Block{Conditions: []Condition{hasNot("ipv6")}}, "netlink", false},
	} {
		if got := c.block.For(c.driver, m); got != c.want {
			t.Errorf("%+v for %s: %v", c.block, c.driver, got)
		}
	}
	if (Block{Conditions: []Condition{kernel}}).For("netlink", Machine{}) {
		t.Error("a condition holds without any version")
	}
}

func TestExcluded(t *testing.T) {
	m := Machine{Features: map[string]bool{"veth": true}}
	b := Block{Drivers: []string{"netlink"}, Conditions: []Condition{{with, "=", "veth"}, {without, "=", "veth"}}}
	if c, ok := b.Excluded("netlink", m); !ok || c.String() != "without=veth" {
		t.Errorf("%v excludes the block: %v", c, ok)
	}
	if c, ok := b.Excluded("iproute2", m); ok {
		t.Errorf("%v excludes a block that is for another driver", c)
	}
}
