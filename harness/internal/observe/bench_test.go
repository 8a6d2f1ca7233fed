package observe

import (
	"testing"

	"netnscheck/harness/internal/netns"
)

// tutorial is a lab as the tutorial leaves it: the host, and two namespaces with one veth pair between them.
func tutorial(t testing.TB) *netns.World {
	t.Helper()
	needs(t, "ip")
	w := newWorld(t, "testns", "prodns")
	for _, line := range []string{
		"ip link add ens192 type veth peer name far192",
		"ip link add ens224 type veth peer name far224",
		"ip addr add 172.16.1.252/16 dev ens192",
		"ip addr add 192.168.2.252/24 dev ens224",
		"ip link set ens192 up", "ip link set ens224 up", "ip link set far192 up", "ip link set far224 up",
		"ip route add default via 192.168.2.1 dev ens224",
		"ip link add vnix-prodns netns prodns type veth peer name vnic-testns netns testns",
	} {
		run(t, w, netns.Host, line)
	}
	run(t, w, "testns", "ip addr add 192.168.2.102/24 dev vnic-testns")
	run(t, w, "prodns", "ip addr add 192.168.2.103/24 dev vnix-prodns")
	run(t, w, "testns", "ip link set vnic-testns up")
	run(t, w, "prodns", "ip link set vnix-prodns up")
	return w
}

func BenchmarkLab(b *testing.B) {
	w := tutorial(b)
	for b.Loop() {
		observed(b, w)
	}
}

func BenchmarkBrief(b *testing.B) {
	w := tutorial(b)
	for b.Loop() {
		if _, err := Lab(b.Context(), w, Options{Brief: true}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkNormal(b *testing.B) {
	s := observed(b, tutorial(b))
	for b.Loop() {
		s.Normal()
	}
}

func BenchmarkSettle(b *testing.B) {
	w := tutorial(b)
	for b.Loop() {
		if err := Settle(b.Context(), w); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkCounters(b *testing.B) {
	w := tutorial(b)
	for b.Loop() {
		if _, err := Counters(b.Context(), w, "testns"); err != nil {
			b.Fatal(err)
		}
	}
}
