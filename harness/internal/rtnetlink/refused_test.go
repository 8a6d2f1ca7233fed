package rtnetlink

import (
	"errors"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"netnscheck/harness/internal/labtest"
	"netnscheck/harness/scenario/operation"
	"netnscheck/harness/state"
)

// The starting states of the refusals below.
const (
	pair = `
		ip netns add testns
		ip netns add prodns
		ip link add vnix-prodns type veth peer name vnic-testns
		ip link set vnix-prodns netns prodns
		ip link set vnic-testns netns testns`
	addrs = pair + `
		ip -n prodns addr add 192.168.2.102/24 dev vnix-prodns
		ip -n testns addr add 192.168.2.103/24 dev vnic-testns`
	full = addrs + `
		ip -n testns link set vnic-testns up
		ip -n prodns link set vnix-prodns up`
)

// TestRefusals checks the measured answers: the kernel's errno and iproute2's exit status. Where iproute2 refuses by
// itself what can be sent by netlink, the kernel's errno is expected.
func TestRefusals(t *testing.T) {
	type refusal struct {
		command, errno string
		status         int
	}
	for name, tt := range map[string]struct {
		setup    string
		refusals []refusal
	}{
		"netns-exists": {"ip netns add testns", []refusal{{"ip netns add testns", "EEXIST", 1}}},
		"netns-missing": {"", []refusal{{"ip netns exec prodnss true", "ENOENT", 255},
			{"ip -n prodnss link show", "ENOENT", 255}, {"ip netns del prodnss", "ENOENT", 1},
			{"ip -n host link", "ENOENT", 255}, {"ip netns pids prodnss", "ENOENT", 1}}},
		"exec-bad-command": {"ip netns add testns", []refusal{{"ip netns exec testns nosuchcmd", "ENOENT", 1}}},
		"veth-exists": {"ip link add vnix-prodns type veth peer name vnic-testns", []refusal{
			{"ip link add vnix-prodns type veth peer name vnic-testns", "EEXIST", 2}}},
		"veth-peer-name-exists": {"ip link add w0 type veth peer name vnic-testns", []refusal{
			{"ip link add vnix-prodns type veth peer name vnic-testns", "EEXIST", 2},
			{"ip link add v0 type veth peer name v0", "EEXIST", 2}}},
		"ifname-too-long": {"", []refusal{{"ip link add abcdefghijklmnop type veth peer name v1", "ERANGE", 2}}},
		"ifname-bad-char": {"", []refusal{{"ip link add a:b type veth peer name v1", "EINVAL", 2},
			{"ip link add . type veth peer name v1", "EINVAL", 2}}},
		"veth-no-peer-name": {"", []refusal{{"ip link set vnic-testns netns 1", "ENODEV", 1}}},
		"typo-device": {pair, []refusal{
			{"ip link set vnic-prodns netns prodns", "ENODEV", 1},
			{"ip -n prodns addr add 192.168.2.102/24 dev vnic-prodns", "ENODEV", 1},
			{"ip -n prodns link set vnic-prodns up", "ENODEV", 1},
			{"ip -n prodns link set VNIX-PRODNS up", "ENODEV", 1},
			{"ip -n prodns link show vnic-prodns", "ENODEV", 1}}},
		"typo-netns-target": {"ip link add v0 type veth peer name v1",
			[]refusal{{"ip link set v0 netns prodnss", "ENOENT", 255}}},
		"typo-link-type": {"", []refusal{{"ip link add v4 type vetth", "EOPNOTSUPP", 2}}},
		"rename-collision": {"ip link add w0 type veth peer name w1",
			[]refusal{{"ip link set w0 name w1", "EEXIST", 2}}},
		"moved-device-invisible": {pair, []refusal{
			{"ip link set vnix-prodns netns prodns", "ENODEV", 1},
			{"ip addr add 192.168.2.102/24 dev vnix-prodns", "ENODEV", 1},
			{"ip link show vnix-prodns", "ENODEV", 1}}},
		"move-name-collision": {"ip netns add x\nip -n x link add v0 type veth peer name zz\nip link add v0 type " +
			"veth peer name v1", []refusal{
			{"ip link set v0 netns x", "EEXIST", 2}}},
		"move-lo-immutable": {"ip netns add x\nip link add br0 type bridge", []refusal{
			{"ip link set lo netns x", "EINVAL", 2}, {"ip link set br0 netns x", "EINVAL", 2}}},
		"created-in-netns": {"", []refusal{{"ip link add w2 type veth peer name w3 netns nosuch", "ENOENT", 255}}},
		"addr-missing-dev": {pair, []refusal{
			{"ip -n prodns addr add 192.168.2.102/24", "ENODEV", 2},
			{"ip -n prodns addr add fd00::2/64", "ENODEV", 2},
			{"ip -n prodns addr add dev vnix-prodns", "EOPNOTSUPP", 2}}},
		"addr-exists": {addrs, []refusal{{"ip -n prodns addr add 192.168.2.102/24 dev vnix-prodns", "EEXIST", 2}}},
		"addr-del-missing": {addrs, []refusal{
			{"ip -n prodns addr del 192.168.2.200/24 dev vnix-prodns", "EADDRNOTAVAIL", 2},
			{"ip -n prodns addr del 192.168.2.102/16 dev vnix-prodns", "EADDRNOTAVAIL", 2}}},
		"links-left-down": {addrs, []refusal{{"ip netns exec prodns ping -c1 -W1 192.168.2.103", "ENETUNREACH", 2}}},
		"half-up-remote": {addrs + "\nip -n testns link set vnic-testns up", []refusal{
			{"ip netns exec prodns ping -c1 -W1 192.168.2.103", "ENETUNREACH", 2}}},
		"del-one-end": {pair + "\nip -n prodns link del vnix-prodns", []refusal{
			{"ip -n testns link del vnic-testns", "ENODEV", 1}, {"ip -n testns link del lo", "EOPNOTSUPP", 2}}},
		"stale-file": {"ip netns add ok\ntouch /run/netns/stale\nip link add v0 type veth peer name v1", []refusal{
			{"ip netns exec stale true", "EINVAL", 255}, {"ip -n stale link", "EINVAL", 255},
			{"ip netns add stale", "EEXIST", 1}}},
		"nsid-conflict": {"ip netns add s1\nip netns add s2\nip netns set s1 7", []refusal{
			{"ip netns set s1 8", "EEXIST", 2}, {"ip netns set s2 7", "EEXIST", 2}}},
		"mac-invalid": {"ip link add v0 type veth peer name v1", []refusal{
			{"ip link set v0 address 01:00:5e:00:00:01", "EADDRNOTAVAIL", 2},
			{"ip link set v0 address 00:00:00:00:00:00", "EADDRNOTAVAIL", 2}}},
		"neigh-cmd-errors": {full +
			"\nip -n prodns neigh replace 192.168.2.103 lladdr 02:de:ad:be:ef:01 dev vnix-prodns", []refusal{
			{"ip -n prodns neigh add 192.168.2.103 lladdr 02:de:ad:be:ef:02 dev vnix-prodns", "EEXIST", 2},
			{"ip -n prodns neigh add 192.168.2.99 dev vnix-prodns", "EINVAL", 2},
			{"ip -n prodns neigh add 192.168.2.99 lladdr 02:00:00:00:00 dev vnix-prodns", "EINVAL", 2},
			{"ip -n prodns neigh del 192.168.2.77 dev vnix-prodns", "ENOENT", 2}}},
		"no-route": {full, []refusal{{"ip netns exec prodns ping -c1 -W1 10.0.0.1", "ENETUNREACH", 2},
			{"ip -n prodns route get 10.0.0.1", "ENETUNREACH", 2}}},
		"gateway-invalid": {full, []refusal{
			{"ip -n prodns route add default via 10.9.9.9", "ENETUNREACH", 2},
			{"ip -n prodns route add default via 10.9.9.9 dev vnix-prodns", "ENETUNREACH", 2}}},
		"route-exists": {full + "\nip -n prodns route add default via 192.168.2.103", []refusal{
			{"ip -n prodns route add default via 192.168.2.103", "EEXIST", 2},
			{"ip -n prodns route add default via 192.168.2.104", "EEXIST", 2}}},
		"route-del-missing": {full, []refusal{{"ip -n prodns route del 10.66.0.0/16", "ESRCH", 2}}},
		"route-host-bits":   {full, []refusal{{"ip -n prodns route add 10.66.0.1/16 via 192.168.2.103", "EINVAL", 2}}},
		"route-dev-down": {addrs, []refusal{
			{"ip -n prodns route add 10.66.0.0/16 dev vnix-prodns", "ENETDOWN", 2},
			{"ip -n prodns route add 10.66.0.0/16 via 192.168.2.103", "ENETUNREACH", 2}}},
		"route-lookup": {full +
			"\nip -n prodns route add unreachable 10.1.0.0/16\nip -n prodns route add prohibit 10.2.0.0/16\nip -n " +
			"prodns route add blackhole 10.3.0.0/16", []refusal{
			{"ip -n prodns route get 10.1.0.1", "EHOSTUNREACH", 2}, {"ip -n prodns route get 10.2.0.1", "EACCES", 2},
			{"ip -n prodns route get 10.3.0.1", "EINVAL", 2}, {"ip -n prodns route show table 4711", "ENOENT", 2}}},
		"rule-shadows-main": {"ip rule add from all lookup main pref 60", []refusal{
			{"ip rule del pref 4444", "ENOENT", 2}, {"ip rule add from all lookup main pref 60", "EEXIST", 2}}},
		"bridge-enslave-errors": {"ip link add br0 type bridge\nip link add br1 type bridge\nip link add v0 type " +
			"veth peer name v1", []refusal{
			{"ip link set br1 master br0", "ELOOP", 2}, {"ip link set lo master br0", "EINVAL", 2},
			{"ip link set v0 master v1", "EOPNOTSUPP", 2}, {"ip link set v0 master nosuch", "ENODEV", 255}}},
		"mtu-out-of-range": {"ip link add v0 type veth peer name v1", []refusal{
			{"ip link set v0 mtu 67", "EINVAL", 2}, {"ip link set v0 mtu 65536", "EINVAL", 2}}},
		"v6-disabled": {full + "\nip netns exec prodns sysctl -qw net.ipv6.conf.vnix-prodns.disable_ipv6=1", []refusal{
			{"ip -n prodns -6 addr add fd00::102/64 dev vnix-prodns", "EACCES", 2},
			{"ip -n prodns -6 route add fd01::/64 dev vnix-prodns", "EACCES", 2}}},
		"lo-down-127": {"ip netns add q", []refusal{
			{"ip netns exec q ping -c1 -W1 127.0.0.1", "ENETUNREACH", 2},
			{"ip netns exec q ping -c1 -W1 ::1", "EADDRNOTAVAIL", 2}}},
		"sysctl": {"", []refusal{{"sysctl -w net.ipv4.nothing=1", "ENOENT", 1},
			{"sysctl -w net.ipv4.ip_forward=x", "EINVAL", 1}, {"sysctl net.ipv4.nothing", "ENOENT", 1}}},
		"usage": {"", []refusal{{"ip link add v0", "", 1}, {"ip netns add a/b", "", 1},
			{"ping -c1 no-such-host.invalid", "", 2}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := labtest.World(t)
			must(t, w, labtest.Lines(tt.setup)...)
			before := labtest.Observed(t, w)
			for _, r := range tt.refusals {
				x := say(t, w, r.command)
				if x.Errno != r.errno || x.Status != r.status {
					t.Errorf("%s: status %d, errno %q (%s); want status %d, errno %q", r.command, x.Status, x.Errno,
						x.Message, r.status, r.errno)
				}
				if x.Message == "" || x.Output == "" {
					t.Errorf("%s: no message", r.command)
				}
			}
			if diff := state.Diff(before, labtest.Observed(t, w)); len(diff) > 0 {
				t.Errorf("a refused command changed something:\n\t%s", strings.Join(diff, "\n\t"))
			}
		})
	}
}

func TestApplyTellsOfARefusal(t *testing.T) {
	w := labtest.World(t)
	must(t, w, "ip link add v0 type veth peer name v1", "ip link set v0 up", "ip addr add 10.0.0.1/24 dev v0")
	for _, tt := range []struct {
		line, message string
		errno         error
	}{
		{"ip addr add 10.0.0.1/24 dev v0", "ipv4: Address already assigned", unix.EEXIST},
		{"ip route add default via 10.9.9.9", "Nexthop has invalid gateway", unix.ENETUNREACH},
		{"ip route add 10.0.0.0/24 dev nowhere", `Cannot find device "nowhere"`, unix.ENODEV},
		{"ip -n nowhere link set lo up", `Cannot open network namespace "nowhere": no such file or directory`,
			unix.ENOENT},
		{"false", "false ended with status 1", nil},
	} {
		c, err := operation.Parse(labtest.Command(t, tt.line).Argv)
		if err != nil {
			t.Fatal(err)
		}
		err = New().Apply(t.Context(), w, c)
		var refused *Refused
		if !errors.As(err, &refused) || refused.Message != tt.message || tt.errno != nil && !errors.Is(err, tt.errno) {
			t.Errorf("%s: %v, want %q and %v", tt.line, err, tt.message, tt.errno)
		}
	}
}

func TestRefusesWithoutRights(t *testing.T) {
	// The network namespace of process 1 of the sandbox belongs to another user namespace than ours.
	if _, err := os.Stat("/proc/1/ns/net"); err != nil {
		t.Skip(err)
	}
	w := labtest.World(t)
	must(t, w, "ip link add v0 type veth peer name v1")
	x := say(t, w, "ip link set v0 netns 1")
	if x.Errno != "EPERM" || x.Status != 2 {
		t.Errorf("move a link out of the sandbox: status %d, errno %s (%s); want EPERM", x.Status, x.Errno, x.Message)
	}
	must(t, w, "ip link show v0")
}
