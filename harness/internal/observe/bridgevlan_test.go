package observe

import (
	"encoding/hex"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"netnscheck/harness/state"
)

func TestVLANTable(t *testing.T) {
	info := func(flags, id uint16) []byte { return attribute(nil, 2, append(u16(flags), u16(id)...)) }
	table := func(infos ...[]byte) []byte {
		var spec []byte
		for _, i := range infos {
			spec = append(spec, i...)
		}
		body := make([]byte, unix.SizeofIfInfomsg)
		body[0] = unix.AF_BRIDGE
		native.PutUint32(body[4:], 9)
		return attribute(body, unix.IFLA_AF_SPEC|unix.NLA_F_NESTED, spec)
	}
	const pvid, untagged, begin, end = 2, 4, 8, 16
	for _, c := range []struct {
		name string
		body []byte
		want []state.PortVLAN
	}{
		{"single", table(info(pvid|untagged, 1), info(0, 20)),
			[]state.PortVLAN{{ID: 1, PVID: true, Untagged: true}, {ID: 20}}},
		{"range", table(info(begin|untagged, 10), info(end|untagged, 12), info(0, 13)),
			[]state.PortVLAN{{ID: 10, Untagged: true}, {ID: 11, Untagged: true}, {ID: 12, Untagged: true}, {ID: 13}}},
		{"a range of two", table(info(begin, 10), info(end, 11)), []state.PortVLAN{{ID: 10}, {ID: 11}}},
		{"an end alone", table(info(end, 7)), []state.PortVLAN{{ID: 7}}},
		{"a range backwards", table(info(begin, 9), info(end, 8)), nil},
		{"the mode of a device's own switch", table(attribute(nil, 1, u16(1))), nil},
	} {
		got, ok := parseVLANTable(c.body)
		equal(t, got.vlans, c.want)
		equal(t, ok, c.want != nil)
		equal(t, got.index, 9)
	}
}

// recordedVLANs are the two answers of Linux 6.12 for a bridge of index 4 and its port of index 6, whose tables
// `bridge vlan` shows as: 1 PVID Egress Untagged, 30; and as 1 PVID Egress Untagged, 10, 20 Egress Untagged, 100-110,
// 200-201 Egress Untagged.
var recordedVLANs = []string{
	"07000100040000000210000000000000080003006272300008000a000400000008000400dc05000005001000020000000a00" +
		"01003244c758d5b9000014001a0008000200060001000800020000001e00",
	"07000100060000000210000000000000070003007031000008000a000400000008000400dc05000005001000020000000a00" +
		"01003244c758d5b90000080005000500000050010c8005000100000000000600020020000000080003000200000005000400" +
		"0000000005000500000000000500060000000000050007000000000005001c00000000000500080001000000050009000100" +
		"000005001b000100000005001e000100000005000a000000000005000c00000000000c000d0080003244c758d5b90c000e00" +
		"80003244c758d5b906000f000180000006001000000000000600110001800000060012000100000005001300000000000500" +
		"14000000000005001d000000000006001f000000000005002000000000000500230000000000050024000000000005002100" +
		"000000000500270000000000050028000000000005002b00000000000c00150000000000000000000c001600000000000000" +
		"00000c0017000000000000000000050019000100000008002500000200000800260000000000080029000000000008002a00" +
		"000000003c001a0008000200060001000800020000000a00080002000400140008000200080064000800020010006e000800" +
		"02000c00c800080002001400c900",
}

func TestRecordedVLANTables(t *testing.T) {
	if native.Uint16([]byte{1, 0}) != 1 {
		t.Skip("recorded on a machine that stores the lowest byte first")
	}
	want := map[int]string{4: "1 PVID untagged, 30", 6: "1 PVID untagged, 10, 20 untagged, 100-110, 200-201 untagged"}
	for _, recorded := range recordedVLANs {
		body, err := hex.DecodeString(recorded)
		if err != nil {
			t.Fatal(err)
		}
		table, ok := parseVLANTable(body)
		equal(t, ok, true)
		equal(t, state.VLANsText(table.vlans), want[table.index])
	}
}

// TestPortsAgainstIP turns each switch of a port over, one at a time, and compares all of them with those that ip
// shows.
func TestPortsAgainstIP(t *testing.T) {
	w := newWorld(t, "a")
	build(t, w, `
		a: ip link add br0 type bridge
		a: ip link add p1 type veth
		a: ip link set p1 master br0`)
	switches := map[string]func(*state.Port) bool{
		"isolated": func(p *state.Port) bool {
			return p.Isolated
		}, "hairpin": func(p *state.Port) bool { return p.Hairpin },
		"guard": func(p *state.Port) bool {
			return p.Guard
		}, "root_block": func(p *state.Port) bool { return p.RootBlock },
		"fastleave": func(p *state.Port) bool {
			return p.FastLeave
		}, "learning": func(p *state.Port) bool { return !p.NoLearning },
		"flood":            func(p *state.Port) bool { return !p.NoFlood },
		"mcast_flood":      func(p *state.Port) bool { return !p.NoMulticastFlood },
		"bcast_flood":      func(p *state.Port) bool { return !p.NoBroadcastFlood },
		"mcast_to_unicast": func(p *state.Port) bool { return p.MulticastUnicast },
		"neigh_suppress":   func(p *state.Port) bool { return p.NeighSuppress },
		"proxy_arp":        func(p *state.Port) bool { return p.ProxyARP },
		"proxy_arp_wifi":   func(p *state.Port) bool { return p.ProxyARPWiFi },
		"vlan_tunnel": func(p *state.Port) bool {
			return p.VLANTunnel
		}, "locked": func(p *state.Port) bool { return p.Locked },
	}
	shown := func() map[string]any {
		o := ipJSON(t, run(t, w, "a", "ip -j -d link show dev p1"))[0]
		return o["linkinfo"].(map[string]any)["info_slave_data"].(map[string]any)
	}
	before := shown()
	for name := range switches {
		now, known := before[name].(bool)
		if !known {
			t.Logf("ip or the kernel does not know %s", name)
			continue
		}
		word := map[bool]string{true: "on", false: "off"}
		run(t, w, "a", "ip link set p1 type bridge_slave "+name+" "+word[!now])
		port, want := observed(t, w).Namespace("a").Link("p1").Port, shown()
		for other, of := range switches {
			if value, known := want[other].(bool); known && of(port) != value {
				t.Errorf("after %s %s: %s is read as %v", name, word[!now], other, of(port))
			}
		}
		if want[name] == before[name] {
			t.Errorf("%s stays %v", name, now)
		}
		run(t, w, "a", "ip link set p1 type bridge_slave "+name+" "+word[now])
	}
}

// TestBridgeCallsFilters turns each call of the filters by the bridge itself over, one at a time, and compares all of
// them with those that ip shows. The sysctls, which do so for all bridges of the namespace, are there as well.
func TestBridgeCallsFilters(t *testing.T) {
	w := newWorld(t, "a")
	run(t, w, "a", "ip link add br0 type bridge")
	calls := map[string]func(*state.Bridge) bool{
		"nf_call_iptables":  func(b *state.Bridge) bool { return b.NFCallIPTables },
		"nf_call_ip6tables": func(b *state.Bridge) bool { return b.NFCallIP6Tables },
		"nf_call_arptables": func(b *state.Bridge) bool { return b.NFCallARPTables },
	}
	for on := range calls {
		if out, err := try(w, "a", strings.Fields("ip link set br0 type bridge "+on+" 1")...); err != nil {
			t.Skipf("no bridge netfilter: %s", out)
		}
		n := observed(t, w).Namespace("a")
		shown := ipJSON(t, run(t, w, "a", "ip -j -d link show dev br0"))[0]["linkinfo"].(map[string]any)["info_data"]
		for name, of := range calls {
			equal(t, of(n.Link("br0").Bridge), name == on)
			equal(t, shown.(map[string]any)[name], any(map[bool]float64{true: 1}[name == on]))
		}
		for _, filters := range []string{"iptables", "ip6tables", "arptables"} {
			key := "net.bridge.bridge-nf-call-" + filters
			value, err := Sysctl(t.Context(), w, "a", key)
			if there := slices.Contains(n.Sysctls, state.Sysctl{Key: key, Value: value}); there != (err == nil) {
				t.Errorf("%s = %s is in the state: %t; %v", key, value, there, err)
			}
		}
		run(t, w, "a", "ip link set br0 type bridge "+on+" 0")
	}
}
