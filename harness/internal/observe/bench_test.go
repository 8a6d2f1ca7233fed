package observe

import (
	"fmt"
	"testing"
	"time"

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

// BenchmarkFilters is BenchmarkLab with packet filters, in a lab that has none.
func BenchmarkFilters(b *testing.B) {
	w := tutorial(b)
	for b.Loop() {
		if _, err := Lab(b.Context(), w, Options{Filters: true}); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkAgainstIP alternately reads three namespaces and runs ip and the related programs for the same. It compares
// the fastest runs, because the machine may be busy. Machine enters each namespace on a new thread.
func BenchmarkAgainstIP(b *testing.B) {
	needs(b, "bridge", "tc", "ss", "nft")
	w := tutorial(b)
	fastest := map[string]time.Duration{}
	measure := func(name string, f func()) {
		began := time.Now()
		f()
		if took := time.Since(began); fastest[name] == 0 || took < fastest[name] {
			fastest[name] = took
		}
	}
	ask := func(commands ...string) {
		for _, ns := range []string{netns.Host, "prodns", "testns"} {
			for _, command := range commands {
				run(b, w, ns, command)
			}
		}
	}
	for b.Loop() {
		measure("lab", func() {
			if _, err := Lab(b.Context(), w, Options{Filters: true}); err != nil {
				b.Fatal(err)
			}
		})
		measure("machine", func() { machineOf(b, w, MachineOptions{Filters: true}) })
		measure("ip", func() {
			ask("ip -j -d -s address", "ip -j -4 route show table all", "ip -j -6 route show table all",
				"ip -j -4 rule", "ip -j -6 rule",
				"ip -j neigh", "ip -j neigh show proxy", "ip -j netconf", "ip -j netns list-id")
		})
		measure("rest", func() {
			ask("bridge -j fdb", "bridge -j vlan", "tc -j qdisc", "ss -Hltun", "nft -j list ruleset")
		})
	}
	programs := fastest["ip"] + fastest["rest"]
	b.ReportMetric(float64(fastest["lab"].Microseconds()), "µs/lab")
	b.ReportMetric(float64(fastest["machine"].Microseconds()), "µs/machine")
	b.ReportMetric(float64(fastest["ip"])/float64(fastest["lab"]), "ip-alone/lab")
	b.ReportMetric(float64(programs)/float64(fastest["lab"]), "same-data/lab")
	b.ReportMetric(float64(programs)/float64(fastest["machine"]), "same-data/machine")
}

func BenchmarkNormal(b *testing.B) {
	s := observed(b, tutorial(b))
	for b.Loop() {
		s.Normal()
	}
}

// BenchmarkSettle settles labs in which nothing moves: each step of a scenario begins so.
func BenchmarkSettle(b *testing.B) {
	b.Run("tutorial", func(b *testing.B) { settles(b, tutorial(b)) })
	b.Run("30-namespaces", func(b *testing.B) { settles(b, star(b, 30)) })
}

// star is a lab with a bridge in one namespace and so many namespaces at its ports.
func star(t testing.TB, nodes int) *netns.World {
	t.Helper()
	names, lines := []string{"hub"}, "hub: ip link add br0 up type bridge\n"
	for i := range nodes {
		name := fmt.Sprint("n", i)
		names = append(names, name)
		lines += fmt.Sprintf("hub: ip link add p%d up master br0 type veth peer name eth0 netns %s\n", i, name)
		lines += fmt.Sprintf("%s: ip link set eth0 up\n", name)
	}
	w := newWorld(t, names...)
	build(t, w, lines)
	return w
}

func settles(b *testing.B, w *netns.World) {
	s := NewSettler(w)
	settle := func() {
		if left, err := s.Settle(b.Context(), time.Minute, false); err != nil || len(left) > 0 {
			b.Fatal(left, err)
		}
	}
	settle()
	fastest := time.Hour // the machine may be busy
	for b.Loop() {
		start := time.Now()
		settle()
		fastest = min(fastest, time.Since(start))
	}
	b.ReportMetric(float64(fastest.Microseconds()), "µs/fastest")
}

func BenchmarkCounters(b *testing.B) {
	w := tutorial(b)
	for b.Loop() {
		if _, err := Counters(b.Context(), w, "testns"); err != nil {
			b.Fatal(err)
		}
	}
}
