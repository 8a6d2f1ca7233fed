package fault_test

import (
	"errors"
	"strings"
	"testing"

	"netnscheck/harness/diagnose/causes"
	"netnscheck/harness/fault"
	"netnscheck/harness/lab"
	"netnscheck/harness/scenario"
)

// networks are such as no lesson has, each with a cause that its faults shall have.
var networks = map[string]struct {
	cause causes.Cause
	lines string
	check string
}{
	// Packets go by the short way, and come back by the long one.
	"two ways": {causes.ReversePathFilter, `
ip netns add left; ip netns add right; ip netns add top
ip link add short netns left type veth peer name short netns right
ip link add long netns left type veth peer name left netns top
ip link add long netns right type veth peer name right netns top
ip -n left addr add 10.1.0.1/24 dev short; ip -n right addr add 10.1.0.2/24 dev short
ip -n left addr add 10.2.0.1/24 dev long; ip -n top addr add 10.2.0.3/24 dev left
ip -n right addr add 10.3.0.2/24 dev long; ip -n top addr add 10.3.0.3/24 dev right
ip -n left addr add 10.0.0.1/32 dev lo; ip -n right addr add 10.0.0.2/32 dev lo
ip -n left link set lo up; ip -n right link set lo up
ip -n left link set short up; ip -n left link set long up
ip -n right link set short up; ip -n right link set long up
ip -n top link set left up; ip -n top link set right up
ip -n left route add 10.0.0.2 via 10.1.0.2; ip -n right route add 10.0.0.1 via 10.3.0.3
ip -n top route add 10.0.0.1 via 10.2.0.1
ip netns exec top sysctl -qw net.ipv4.ip_forward=1`, "`left` reaches `10.0.0.2` from `10.0.0.1`"},
	"vlan": {causes.VLANMismatch, `
ip netns add red; ip netns add blue
ip link add eth0 netns red type veth peer name eth0 netns blue
ip -n red link set eth0 up; ip -n blue link set eth0 up
ip -n red link add link eth0 name eth0.10 type vlan id 10
ip -n blue link add link eth0 name eth0.10 type vlan id 10
ip -n red addr add 10.10.0.1/24 dev eth0.10; ip -n blue addr add 10.10.0.2/24 dev eth0.10
ip -n red link set eth0.10 up; ip -n blue link set eth0.10 up`, "`red` reaches `10.10.0.2`"},
}

// TestEveryFaultOfNetworks does with networks that no lesson has what TestEveryFault does with the lessons. Some have
// faults of a kind that needs more than a lesson has: two ways, or tags.
func TestEveryFaultOfNetworks(t *testing.T) {
	for name, network := range networks {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var text strings.Builder
			text.WriteString("---\nrequires: [veth" + map[string]string{"vlan": ", vlan"}[name] + "]\n---\n# " + name +
				"\n\n## All of it\n\n```console\n")
			for line := range strings.Lines(strings.ReplaceAll(strings.TrimSpace(network.lines), "; ", "\n")) {
				text.WriteString("$ " + line)
			}
			text.WriteString("\n```\n\n- [ ] " + network.check + "\n")
			sc, err := scenario.Parse("network.md", []byte(text.String()))
			if err != nil {
				t.Fatal(err)
			}
			c, err := lab.Finish(t.Context(), sc, lab.Options{})
			var unavailable *scenario.Unavailable
			if errors.As(err, &unavailable) {
				t.Skip(err)
			}
			if err != nil {
				t.Fatal(err)
			}
			defer c.Lab.Close()
			of := 0
			for _, f := range fault.Possible(c.Finished, c.Goals) {
				if f.Name == network.cause {
					of++
				}
				if len(f.Programs) > 0 {
					continue // those of every network, which the lessons try
				}
				if err := tryOut(t.Context(), c, f); err != nil {
					t.Errorf("%s (%s): %v\n%s", f.Title, f.Name, err, written(f))
					if err := c.Lab.Build(t.Context(), f.Mend); err != nil {
						t.Fatal("cannot go on: ", err)
					}
				}
			}
			if of < 2 {
				t.Errorf("%d faults are %s, want some", of, network.cause)
			}
		})
	}
}
