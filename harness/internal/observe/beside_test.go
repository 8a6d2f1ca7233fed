package observe

import (
	"testing"

	"netnscheck/harness/internal/netns"
)

// TestBeside: each of these is seen beside the state, by the namespace that it is in, and nothing else is.
func TestBeside(t *testing.T) {
	needs(t, "ip")
	for name, c := range map[string]struct {
		program, command string
		changed          func(before, after Beside) bool
	}{
		"a table":   {"nft", "nft add table ip x", func(a, b Beside) bool { return a.Generation != b.Generation }},
		"a sysctl":  {"sysctl", "sysctl -qw net.ipv4.tcp_syncookies=0", differs("net.ipv4.tcp_syncookies")},
		"redirects": {"sysctl", "sysctl -qw net.ipv4.conf.all.send_redirects=0", differs("net.ipv4.conf.all.send_redirects")},
		"an offload": {"ethtool", "ethtool -K eth0 tso off", func(a, b Beside) bool {
			return a.Offloads["eth0"] != "" && a.Offloads["eth0"] != b.Offloads["eth0"]
		}},
	} {
		t.Run(name, func(t *testing.T) {
			needs(t, c.program)
			w := newWorld(t, "a", "b")
			build(t, w, "host: ip link add eth0 netns a type veth peer name eth0 netns b")
			before, other := beside(t, w, "a"), beside(t, w, "b")
			if before.Generation != untouched {
				t.Errorf("the rule set of a new namespace has the generation %d", before.Generation)
			}
			build(t, w, "a: "+c.command)
			if after := beside(t, w, "a"); !c.changed(before, after) {
				t.Errorf("not seen: %+v, then %+v", before, after)
			}
			equal(t, beside(t, w, "b"), other)
		})
	}
}

func differs(key string) func(a, b Beside) bool {
	return func(a, b Beside) bool { return a.Sysctls[key] != "" && a.Sysctls[key] != b.Sysctls[key] }
}

func beside(t *testing.T, w *netns.World, ns string) Beside {
	t.Helper()
	b, err := LookBeside(t.Context(), w, observed(t, w).Namespace(ns))
	if err != nil {
		t.Fatal(err)
	}
	return b
}
