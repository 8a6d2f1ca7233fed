package operation

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestDirect(t *testing.T) {
	t.Parallel()
	const pair = "ip link add x type veth peer name y"
	for _, test := range []struct{ name, commands, want string }{
		{"the tutorial",
			`ip netns add testns; ip netns add prodns; ip netns exec testns ip link
			ip link add vnix-prodns type veth peer name vnic-testns; ip link show
			ip link set vnix-prodns netns prodns; ip link set vnic-testns netns testns
			ip -n prodns addr add 192.168.2.102/24 dev vnix-prodns; ip -n prodns link set vnix-prodns up
			ip netns exec prodns ping -c1 192.168.2.103`,
			`ip netns add testns; ip netns add prodns
			ip link add name vnix-prodns netns prodns type veth peer name vnic-testns netns testns
			ip -n prodns address add 192.168.2.102/24 dev vnix-prodns; ip -n prodns link set dev vnix-prodns up`},
		{"one end configured before the other is moved",
			pair + "; ip link set x netns A; ip -n A addr add 10.0.0.1/24 dev x; ip -n A link set x up; ip link set " +
				"y netns B",
			"ip link add name x netns A type veth peer name y netns B; ip -n A address add 10.0.0.1/24 dev x; ip -n " +
				"A link set dev x up"},
		{"a move with a new name, and on from there",
			pair + "; ip link set x netns A name z; ip -n A link set z netns B; ip -n B link set z up",
			"ip link add name z netns B type veth peer name y; ip -n B link set dev z up"},
		{"created in a namespace, peer elsewhere",
			"ip -n A link add x type veth peer name y netns B; ip -n B link set y netns C; ip -n A link set x netns B",
			"ip -n A link add name x netns B type veth peer name y netns C"},
		{"entered by exec",
			"ip netns exec A ip link add x type veth peer name y; ip -n A link set x netns B",
			"ip netns exec A ip link add name x netns B type veth peer name y"},
		{"two pairs, one after the other",
			pair + "; ip link set x netns A; ip link add x type veth peer name z; ip link set x netns B",
			"ip link add name x netns A type veth peer name y; ip link add name x netns B type veth peer name z"},

		{"a refusal is not hidden: the name is taken when the second pair is made",
			pair + "; ip link add x type veth peer name z; ip link set x netns A",
			newPair("x", "y") + "; " + newPair("x", "z") + "; ip link set dev x netns A"},
		{"a refusal is not made: the name is free in the target only later",
			"ip -n A link add x type dummy; " + pair + "; ip -n A link set x name q; ip link set x netns A",
			"ip -n A link add name x type dummy; " + newPair("x", "y") +
				"; ip -n A link set dev x name q; ip link set dev x netns A"},
		{"the name is taken in the target",
			"ip -n A link add x type dummy; " + pair + "; ip link set x netns A",
			"ip -n A link add name x type dummy; " + newPair("x", "y") + "; ip link set dev x netns A"},
		{"the new name is taken where the first end is created, which some kernels refuse",
			"ip link add v type dummy; " + pair + "; ip link set x netns A name v",
			"ip link add name v type dummy; " + newPair("x", "y") + "; ip link set dev x name v netns A"},
		{"the new name is taken where the first end is created, but it is that of the peer",
			"ip link add v type dummy; " + pair + "; ip link set y netns A name v",
			"ip link add name v type dummy; ip link add name x type veth peer name v netns A"},
		{"both ends under one name in one namespace",
			pair + "; ip link set x netns A name v; ip link set y netns A name v",
			"ip link add name v netns A type veth peer name y; ip link set dev y name v netns A"},
		{"the namespace is made later",
			pair + "; ip netns add A; ip link set x netns A",
			newPair("x", "y") + "; ip netns add A; ip link set dev x netns A"},
		{"the namespace is gone",
			"ip netns del A; " + pair + "; ip link set x netns A",
			"ip netns delete A; " + newPair("x", "y") + "; ip link set dev x netns A"},
		{"the namespace is a process",
			pair + "; ip link set x netns 1", newPair("x", "y") + "; ip link set dev x netns 1"},
		{"set up before, which the move undoes",
			pair + "; ip link set x up; ip link set x netns A",
			newPair("x", "y") + "; ip link set dev x up; ip link set dev x netns A"},
		{"created up, which the move undoes",
			"ip link add x up type veth peer name y; ip link set x netns A; ip link set y netns B",
			"ip link add name x up type veth peer name y netns B; ip link set dev x netns A"},
		{"renamed before",
			pair + "; ip link set x name z; ip link set z netns A",
			newPair("x", "y") + "; ip link set dev x name z; ip link set dev z netns A"},
		{"an address before, which the move takes away",
			pair + "; ip addr add 10.0.0.1/24 dev x; ip link set x netns A",
			newPair("x", "y") + "; ip address add 10.0.0.1/24 dev x; ip link set dev x netns A"},
		{"moved and set up at once",
			pair + "; ip link set x netns A up", newPair("x", "y") + "; ip link set dev x up netns A"},
		{"the peer goes before",
			pair + "; ip link del y; ip link set x netns A",
			newPair("x", "y") + "; ip link delete dev y; ip link set dev x netns A"},
		{"a program between", pair + "; sh -c true; ip link set x netns A",
			newPair("x", "y") + "; sh -c true; ip link set dev x netns A"},
		{"a default of new links between",
			pair + "; sysctl -w net.ipv4.conf.default.forwarding=1; ip link set x netns A",
			newPair("x", "y") + "; sysctl -w net.ipv4.conf.default.forwarding=1; ip link set dev x netns A"},
		{"a flush between", pair + "; ip route flush all; ip link set x netns A",
			newPair("x", "y") + "; ip route flush all; ip link set dev x netns A"},
		{"a group between", pair + "; ip link set group 0 up; ip link set x netns A",
			newPair("x", "y") + "; ip link set group default up; ip link set dev x netns A"},
		{"a name of the kernel's choice between", pair + "; ip link add type dummy; ip link set x netns A",
			newPair("x", "y") + "; ip link add type dummy; ip link set dev x netns A"},
		{"a peer of the kernel's choice", "ip link add x type veth; ip link set x netns A",
			"ip link add name x type veth; ip link set dev x netns A"},
		{"indexes of the author's choice", pair + "; ip link set x netns A; ip -n A link add q index 5 type dummy",
			newPair("x", "y") + "; ip link set dev x netns A; ip -n A link add name q index 5 type dummy"},
		{"not a pair", "ip link add x type bridge; ip link set x netns A",
			"ip link add name x type bridge; ip link set dev x netns A"},
		{"moved by whom it does not stand with", pair + "; ip -n B link set x netns A",
			newPair("x", "y") + "; ip -n B link set dev x netns A"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			commands := parseAll(t, test.commands)
			before := parseAll(t, test.commands)
			var got []string
			for _, c := range Direct(commands) {
				got = append(got, strings.Join(c.Argv(), " "))
			}
			if diff := cmp.Diff(lines(test.want), got); diff != "" {
				t.Errorf("Direct (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(before, commands, compareNetip); diff != "" {
				t.Errorf("Direct changed what it was given (-before +after):\n%s", diff)
			}
		})
	}
}

func newPair(a, b string) string { return "ip link add name " + a + " type veth peer name " + b }

// lines are the commands between semicolons and line ends.
func lines(text string) []string {
	var list []string
	for _, line := range strings.FieldsFunc(text, func(r rune) bool { return r == ';' || r == '\n' }) {
		list = append(list, strings.TrimSpace(line))
	}
	return list
}

func parseAll(t *testing.T, text string) []Command {
	t.Helper()
	var cmds []Command
	for _, line := range lines(text) {
		c, err := Parse(split(line))
		if err != nil {
			t.Fatalf("Parse(%q): %v", line, err)
		}
		cmds = append(cmds, c)
	}
	return cmds
}
