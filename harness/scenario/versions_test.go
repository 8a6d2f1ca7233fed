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
		if got := (Condition{"kernel", c.op, c.want}).Holds(Versions{"kernel": c.have}); got != c.holds {
			t.Errorf("kernel%s%s holds for %q: %v", c.op, c.want, c.have, got)
		}
	}
}

func TestBlockFor(t *testing.T) {
	v := Versions{"kernel": "6.18.44", "iproute2": "6.1.0"}
	kernel := Condition{"kernel", ">=", "6.2"}
	busybox := Condition{"busybox", "<", "9"}
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
	} {
		if got := c.block.For(c.driver, v); got != c.want {
			t.Errorf("%+v for %s: %v", c.block, c.driver, got)
		}
	}
	if (Block{Conditions: []Condition{kernel}}).For("netlink", nil) {
		t.Error("a condition holds without any version")
	}
}
