package main_test

import "testing"

// overlay is two nodes with an overlay network between them: UNDERLAY is 4 or 6, MODE routed or bridged, DF as ip has
// it. Its tunnel is as wide as the cable below it.
const overlay = `for n in A B; do ip netns add n$n; ip netns add p$n; ip -n n$n link set lo up
ip -n p$n link set lo up; done
ip link set lo up; ip -n nA link add eth0 type veth peer name eth0 netns nB; i=1
for n in A B; do o=$((3-i)); x="ip -n n$n"; net=192.0.2. length=24; [ $UNDERLAY = 4 ] || { net=2001:db8:: length=64; }
ip netns exec n$n sysctl -qw net.ipv4.ip_forward=1; $x link set eth0 up
$x addr add $net$i/$length dev eth0 $([ $UNDERLAY = 4 ] || echo nodad)
$x link add vx type vxlan id 9 dstport 4789 local $net$i remote $net$o df $DF; $x link set vx mtu 1500
$x link add v0 type veth peer name eth0 netns p$n; $x link set v0 up; ip -n p$n link set eth0 up
if [ $MODE = bridged ]; then $x link add br0 type bridge; $x link set br0 up; $x link set vx master br0 up
$x link set v0 master br0; ip -n p$n addr add 10.0.$i.1/16 dev eth0; else
$x addr add 10.0.$i.254/24 dev v0; ip -n p$n addr add 10.0.$i.1/24 dev eth0; ip -n p$n route add default via 10.0.$i.254
$x addr add 10.9.0.$i/24 dev vx; $x link set vx up; $x route add 10.0.$o.0/24 via 10.9.0.$o; fi; i=$o; done
`

// TestDiagnoseTooLargeForATunnel: what a router sends into a tunnel is fragmented outside, unless the packets of the
// tunnel must not be; a bridge does not send it.
func TestDiagnoseTooLargeForATunnel(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, c := range []struct {
		underlay, mode, df string
		status             int
		cause              string
	}{
		{"4", "routed", "unset", 0, "\nprobe     reply in "},
		{"4", "routed", "set", 1, "\ncause     mtu-black-hole: eth0 in nA\n"},
		{"6", "routed", "unset", 1, "\ncause     mtu-black-hole: eth0 in nA\n"},
		{"4", "bridged", "unset", 1, "\ncause     mtu-exceeded: eth0 in nA\n"},
	} {
		setup := "UNDERLAY=" + c.underlay + " MODE=" + c.mode + " DF=" + c.df + "\n" + overlay
		onMachine(t, dir, setup, "diagnose", "--from", "pA", "--to", "10.0.2.1", "--size", "1472", "--probe").
			want(t, c.status, c.cause)
		onMachine(t, dir, setup, "diagnose", "--from", "pA", "--to", "10.0.2.1", "--probe").
			want(t, 0, "\nprobe     reply in ")
	}
}
