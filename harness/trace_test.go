package main_test

import (
	"os"
	"strings"
	"testing"

	"netnscheck/harness/internal/drops"
)

// routed is two ends, a and b, with a router between them.
const routed = `for n in a r b; do ip netns add $n; ip -n $n link set lo up; done; ip link set lo up
ip link add e0 netns a type veth peer name e0 netns r; ip link add e1 netns r type veth peer name e0 netns b
ip -n a addr add 10.1.0.2/24 dev e0; ip -n r addr add 10.1.0.1/24 dev e0
ip -n r addr add 10.2.0.1/24 dev e1; ip -n b addr add 10.2.0.2/24 dev e0
ip -n a link set e0 up; ip -n r link set e0 up; ip -n r link set e1 up; ip -n b link set e0 up
ip -n a route add default via 10.1.0.1; ip -n b route add default via 10.2.0.1
ip netns exec r sysctl -qw net.ipv4.ip_forward=1
`

// traces diagnoses from a to b with --trace, as root of the machine, on a network of its own.
func traces(t *testing.T, prepare string, args ...string) call {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root hears what the kernel drops")
	}
	l, err := drops.Listen(drops.Filter{})
	if err != nil {
		t.Skip(err) // another user namespace, or another kernel: no program is missing
	}
	l.Close()
	return unshared(t, t.TempDir(), []string{"-nm"}, "mount -t tmpfs tmpfs /run; "+routed+prepare,
		append([]string{"diagnose", "--from", "a", "--to", "10.2.0.2", "--probe", "--trace"}, args...)...)
}

// nftDrop makes the router drop what it forwards, if it matches.
func nftDrop(match string) string {
	return "ip netns exec r nft 'add table inet f; add chain inet f c { type filter hook forward priority 0; }; " +
		"add rule inet f c " + match + " drop'"
}

// TestTraceAgrees: what the kernel says of a drop fits the cause, and is in its namespace.
func TestTraceAgrees(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, broken string
		args, says   []string
	}{
		{"nft", nftDrop("ip daddr 10.2.0.2"), nil,
			[]string{"filter-forward: r", "agrees: NETFILTER_DROP in ", ", in r\n"}},
		{"iptables", "ip netns exec b iptables -A INPUT -p tcp --dport 80 -j DROP", []string{"--tcp", "80"},
			[]string{"filter-input: b", "agrees: NETFILTER_DROP in ", ", in b\n"}},
		{"output", "ip netns exec a iptables -A OUTPUT -d 10.2.0.2 -j DROP", nil,
			[]string{"filter-output: a", "agrees: NETFILTER_DROP in ", ", in a\n"}},
		{"no route", "ip -n a route del default", nil,
			[]string{"no-route: a", "agrees: the kernel answers ENETUNREACH, without a drop"}},
		{"prohibit", "ip -n a route add prohibit 10.2.0.2", nil, []string{"agrees: the kernel answers EACCES"}},
		{"blackhole", "ip -n a route add blackhole 10.2.0.2", nil, []string{"agrees: the kernel answers EINVAL"}},
		{"unreachable on the way", "ip -n r route add unreachable 10.2.0.2", nil,
			[]string{"route-unreachable: r", "agrees: ", " in ip_error, in r\n"}},
		{"reverse path", "ip -n b link add d0 type veth peer name d1\n" +
			"ip -n b link set d0 up; ip -n b link set d1 up; ip -n b route add 10.1.0.0/24 dev d0\n" +
			"ip netns exec b sysctl -qw net.ipv4.conf.all.rp_filter=1", nil,
			[]string{"reverse-path-filter: e0 in b", "agrees: IP_RPFILTER in ", ", in b\n"}},
		{"no forwarding", "ip netns exec r sysctl -qw net.ipv4.ip_forward=0", nil,
			[]string{"forwarding-off", "agrees: IP_INADDRERRORS in ip_error, in r\n"}},
		{"closed port", ":", []string{"--tcp", "81"},
			[]string{"not-listening: b", "agrees: NO_SOCKET in tcp_v4_rcv, in b\n"}},
		{"MTU", "ip -n r link set e1 mtu 1280", []string{"--size", "1400"},
			[]string{"mtu-exceeded: e1 in r", "agrees: PKT_TOO_BIG in ", ", in r\n"}},
		{"neighbour", "ip -n b addr flush dev e0; ip -n b addr add 10.2.0.3/24 dev e0", nil,
			[]string{"address-nowhere", "agrees: NEIGH_FAILED in ", ", in r\n"}},
		{"link down", "ip -n a link set e0 down", nil,
			[]string{"link-down: e0 in a", "agrees: the kernel answers ENETUNREACH"}},
		{"peer down", "ip -n r link set e0 down", nil,
			[]string{"peer-down: e0 in r", "agrees: nothing was sent: the outgoing link has no carrier"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			traces(t, c.broken, c.args...).want(t, 1, c.says...)
		})
	}
}

// TestTraceHears: an answer is no drop, nor are packets of others that are dropped meanwhile; a drop for which the
// state has no cause contradicts.
func TestTraceHears(t *testing.T) {
	t.Parallel()
	t.Run("nothing", func(t *testing.T) {
		t.Parallel()
		traces(t, ":").want(t, 0, "\nprobe     reply in ", "\nkernel    the kernel dropped nothing\n")
	})
	t.Run("others", func(t *testing.T) {
		t.Parallel()
		needPrograms(t, "ping")
		flood := nftDrop("ip daddr 10.3.0.0/16") + "\nip -n r route add 10.3.0.0/16 via 10.2.0.2\n" +
			"ip netns exec a ping -f -q 10.3.0.1 >/dev/null 2>&1 &"
		c := traces(t, flood, "--json")
		c.want(t, 0, `"verdict": "silent"`, `"says": "the kernel dropped nothing"`)
		if strings.Contains(c.stdout, `"drops"`) {
			t.Errorf("it heard drops of others:\n%s", c.stdout)
		}
	})
	t.Run("what is not in the state", func(t *testing.T) {
		t.Parallel()
		if _, err := os.Stat("/proc/sys/net/core/xfrm_acq_expires"); err != nil {
			t.Skip("this kernel has no IPsec policies")
		}
		policy := "ip -n r xfrm policy add dst 10.2.0.2/32 dir fwd action block"
		traces(t, policy).want(t, 3, "\nprobe     no reply ", "\nkernel    contradicts: XFRM_POLICY in ", ", in r\n")
	})
}

// TestTraceUnheard: in a user namespace nobody hears the kernel; that is told, and changes nothing else.
func TestTraceUnheard(t *testing.T) {
	t.Parallel()
	ask := []string{"diagnose", "--from", "prodns", "--to", "192.168.2.103", "--probe", "--trace"}
	onMachine(t, t.TempDir(), mended, ask...).want(t, 0, "\nprobe     reply in ", "\nkernel    not heard: ")
	onMachine(t, t.TempDir(), aPair, ask...).want(t, 1, "cause     peer-down", "\nkernel    not heard: ")
	onMachine(t, t.TempDir(), mended, append(ask, "--json")...).want(t, 0, `"verdict": "unheard"`)
	harness(t, t.TempDir(), "diagnose", "--from", "a", "--to", "10.0.0.1", "--trace").want(t, 2,
		"--trace needs --probe")
}
