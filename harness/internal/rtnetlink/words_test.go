package rtnetlink

import (
	"net/netip"
	"os"
	"path/filepath"
	"testing"

	"netnscheck/harness/scenario/operation"
)

func TestSysctlPath(t *testing.T) {
	for key, want := range map[string]string{
		"net.ipv4.ip_forward":             "/proc/sys/net/ipv4/ip_forward",
		"net.ipv4.conf.eth0/5.arp_ignore": "/proc/sys/net/ipv4/conf/eth0.5/arp_ignore",
	} {
		if got := sysctlPath(key); got != want {
			t.Errorf("sysctlPath(%s) is %s, want %s", key, got, want)
		}
	}
}

func TestLookHost(t *testing.T) {
	const hosts = "# a comment\n::1 localhost ip6-localhost # more\n127.0.0.1\tlocalhost\n10.0.0.1 Gate " +
		"gw\nnonsense gate\n"
	for _, tt := range []struct {
		name   string
		family operation.Family
		want   string
	}{
		{"localhost", operation.FamilyAny, "127.0.0.1"}, {"localhost", operation.FamilyV6, "::1"},
		{"localhost", operation.FamilyV4, "127.0.0.1"},
		{"GATE", operation.FamilyAny, "10.0.0.1"}, {"gw", operation.FamilyV6, ""}, {"more", operation.FamilyAny, ""},
	} {
		want, _ := netip.ParseAddr(tt.want)
		if got := lookHost(hosts, tt.name, tt.family); got != want {
			t.Errorf("%s, family %d: %v, want %v", tt.name, tt.family, got, want)
		}
	}
}

func TestLookNameIn(t *testing.T) {
	path := filepath.Join(t.TempDir(), "rt_tables")
	if err := os.WriteFile(path, []byte("#100 grey\n100 blue # sky\n0x10\tred\nx green\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for word, want := range map[string]uint32{"blue": 100, "red": 16, "grey": 0, "green": 0, "sky": 0} {
		if got, ok := lookNameIn(path, word); got != want || ok != (want != 0) {
			t.Errorf("%s: %d, %t, want %d", word, got, ok, want)
		}
	}
	if _, ok := lookNameIn(filepath.Join(path, "missing"), "blue"); ok {
		t.Error("found a name in a file that does not exist")
	}
}

func TestEdge(t *testing.T) {
	for _, tt := range []struct {
		prefix      string
		first, last string
	}{{"10.1.2.3/24", "10.1.2.0", "10.1.2.255"}, {"10.1.2.3/9", "10.0.0.0", "10.127.255.255"},
		{"1.2.3.4/0", "0.0.0.0", "255.255.255.255"}} {
		p := netip.MustParsePrefix(tt.prefix)
		if first, last := edge(p, false), edge(p, true); first.String() != tt.first || last.String() != tt.last {
			t.Errorf("%s reaches from %v to %v, want %s to %s", p, first, last, tt.first, tt.last)
		}
	}
}
