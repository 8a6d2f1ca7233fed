package busybox

import (
	"errors"
	"os"
	"slices"
	"strings"
	"testing"

	"netnscheck/harness/internal/labtest"
	"netnscheck/harness/scenario"
)

func TestWhoAnswers(t *testing.T) {
	d := newDriver(t)
	for line, want := range map[string]struct {
		by   scenario.By
		argv string
	}{
		"ip a a 10.0.0.1/24 dev v0":    {scenario.Busybox, "busybox ip address add 10.0.0.1/24 dev v0"},
		"ip -n a l s v0 up":            {scenario.Busybox, "busybox ip link set dev v0 up"},
		"ip r":                         {scenario.Busybox, "busybox ip route show"},
		"ip netns exec a ip -6 ro":     {scenario.Busybox, "busybox ip -6 route show"},
		"ip -6 route flush fd00::/64":  {scenario.Harness, ""},
		"ip -6 route flush cache":      {scenario.Busybox, "busybox ip -6 route flush cache"},
		"ip -o n":                      {scenario.Busybox, "busybox ip -oneline neigh show"},
		"ip neigh flush dev neighbour": {scenario.Busybox, "busybox ip neigh flush dev neighbour"},
		"ip rule del to 10.0.0.0/8 blackhole": {scenario.Busybox,
			"busybox ip rule del to 10.0.0.0/8 type blackhole"},
		"ip link set v0 netns 4711":                 {scenario.Busybox, "busybox ip link set dev v0 netns 4711"},
		"ip netns exec a ping -c1 -W1 10.0.0.1":     {scenario.Busybox, "busybox ping -c 1 -W 1 10.0.0.1"},
		"ping6 -c1 fd00::1":                         {scenario.Busybox, "busybox ping -6 -c 1 fd00::1"},
		"ip -n a link set v0 mtu abc":               {scenario.Busybox, "busybox ip link set v0 mtu abc"},
		"ip link sett lo up":                        {scenario.Busybox, "busybox ip link sett lo up"},
		"ip link add v0 type veth peer name v1":     {scenario.Harness, ""},
		"ip link add v0 type veth peer name":        {scenario.Harness, ""},
		"ip netns add a":                            {scenario.Harness, ""},
		"ip netns add a/b":                          {scenario.Harness, ""},
		"ip netns list":                             {scenario.Harness, ""},
		"ip -d link":                                {scenario.Harness, ""},
		"ip netns exec '' true":                     {scenario.Harness, ""},
		"ping -c 0 10.0.0.1":                        {scenario.Harness, ""},
		"sysctl -qw net.ipv4.ip_forward=1":          {scenario.Named, "sysctl -qw net.ipv4.ip_forward=1"},
		"ip netns exec a sysctl net.ipv4":           {scenario.Named, "sysctl net.ipv4"},
		"ip netns exec a no-such-program --now":     {scenario.Named, "no-such-program --now"},
		"sh -c 'sysctl a.b'":                        {scenario.Named, "sh -c sysctl a.b"},
		"ip netns exec a busybox ip link set v0 up": {scenario.Named, "busybox ip link set v0 up"},
	} {
		way, err := d.way(labtest.Command(t, line))
		if argv := strings.Join(way.argv, " "); err != nil || way.by != want.by || argv != want.argv {
			t.Errorf("%s: %s %q, %v; want %s %q", line, way.by, argv, err, want.by, want.argv)
		}
	}
}

func TestCannotSay(t *testing.T) {
	d := newDriver(t)
	mayFail, mustHold := scenario.Status{Any: true}, scenario.Status{}
	for _, c := range []struct {
		line   string
		status scenario.Status
		word   string // "" is none
	}{
		{"ip link sett lo up", mustHold, "sett"},
		{"ip link sett lo up", mayFail, ""},
		{"ip link set v0 vf 1 mac 02:00:00:00:00:01", mayFail, "vf"}, // a word of iproute2
		{"ip link add v0 v1 type bridge", mayFail, "v1"},             // busybox would take v1 for the name
		{"ip route add defalt via 10.0.0.1", mayFail, "defalt"},      // busybox would take it for the default
		{"ip netns foo", mayFail, "foo"},
		{"ip l2tp show", mustHold, "l2tp"},
		{"ip monitor", mustHold, "monitor"}, // the netlink driver cannot, either
		{"ping -T tsonly 10.0.0.1", mayFail, "-T"},
		{"sh -c 'ip link'", mustHold, "sh … ip"},
		{"ip netns exec a timeout 1 ping 10.0.0.1", mustHold, "timeout … ping"},
		{"ip netns exec a /run/script", mustHold, "/run/script"},
	} {
		cmd := labtest.Command(t, c.line)
		cmd.Status = c.status
		err := d.CanSay(cmd)
		var cannot *scenario.CannotSay
		switch {
		case c.word == "" && err != nil:
			t.Errorf("%s: %v", c.line, err)
		case c.word != "" && (!errors.As(err, &cannot) ||
			cannot.Driver != "busybox" || cannot.Word != c.word):
			t.Errorf("%s: %v, want %q", c.line, err, c.word)
		}
	}
	var unavailable *scenario.Unavailable
	cmd := labtest.Command(t, "no-such-program --now")
	if err := d.CanSay(cmd); !errors.As(err, &unavailable) {
		t.Errorf("CanSay: %v", err)
	}
	if _, err := d.Run(t.Context(), labtest.World(t), cmd); !errors.As(err, &unavailable) {
		t.Errorf("Run: %v", err)
	}
}

func TestRunKeepsWhatIsSaid(t *testing.T) {
	w := labtest.World(t)
	build(t, w, []string{"ip netns add a", "ip link add v0 type veth peer name v1"})
	for _, c := range []struct {
		line   string
		by     scenario.By
		status int
		output string
	}{
		{"ip link set v2 netns a", scenario.Busybox, 2, "ip: can't find device 'v2'\n"},
		{"ip link set v0 netns nowhere", scenario.Busybox, 2, "ip: invalid argument 'nowhere' to 'netns'\n"},
		{"ip -n a addr add 10.0.0.1/24", scenario.Busybox, 1, "ip: need \"dev IFACE\"\n"},
		{"ip -n nowhere link", scenario.Harness, 255,
			"Cannot open network namespace \"nowhere\": no such file or directory\n"},
		{"ip -n host link", scenario.Harness, 255,
			"Cannot open network namespace \"host\": no such file or directory\n"},
		{"ip netns exec nowhere true", scenario.Harness, 255,
			"Cannot open network namespace \"nowhere\": no such file or directory\n"},
		{"ip netns exec a no-such-program", scenario.Harness, 1,
			"exec of \"no-such-program\" failed: No such file or directory\n"},
		{"ip netns exec a sh -c 'echo out; echo err >&2; exit 7'", scenario.Named, 7, "out\nerr\n"},
		{"ip netns exec a sysctl -n net.ipv4.ip_forward", scenario.Named, 0, "0\n"},
		{"ip netns list", scenario.Harness, 0, "a\n"},
		{"ip netns exec a ls /sys/class/net", scenario.Named, 0, "lo\n"},
	} {
		x := carryOut(t, w, c.line)
		if x.By != c.by || x.Status != c.status || x.Output != c.output {
			t.Errorf("%s\n got %s %d %q\nwant %s %d %q", c.line, x.By, x.Status, x.Output, c.by, c.status, c.output)
		}
	}
}

// busybox knows a namespace only by the pid of a process in it.
func TestMovesLinksIntoNamespacesByTheirNames(t *testing.T) {
	w := labtest.World(t)
	build(t, w, []string{"ip netns add a", "ip netns add b", "ip link add v0 type veth peer name v1"})
	for _, c := range []struct{ line, to string }{
		{"ip link set v0 netns a", "a"},
		{"ip -n a link set v0 netns b", "b"},
		{"ip netns exec b ip link set v0 netns b", "b"},
	} {
		x := carryOut(t, w, c.line)
		if x.By != scenario.Busybox || x.Status != 0 || labtest.Observed(t, w).Namespace(c.to).Link("v0") == nil {
			t.Errorf("%s: v0 is not in %s: %+v", c.line, c.to, x)
		}
	}
	if x := carryOut(t, w, "ip netns del b"); x.Status != 0 {
		t.Errorf("delete the namespace into which a link was moved: %+v", x)
	}
}

// On the host's own network each namespace has a unique real name, which neither the lesson nor its output shows.
func TestSharedNamesAreTheLabs(t *testing.T) {
	w := labtest.SharedWorld(t)
	for _, line := range []string{"ip netns add testns", "ip link add v0 type veth peer name v1",
		"ip link set v0 netns testns",
		"ip -n testns link set v0 up", "ip netns exec testns ip addr add 10.0.0.1/24 dev v0",
		"ip netns exec testns sysctl -q net.ipv4.ip_forward",
		"test -e /run/netns/testns"} {
		if x := carryOut(t, w, line); x.Status != 0 {
			t.Fatalf("%s: %+v", line, x)
		}
	}
	if output := carryOut(t, w, "ip netns list").Output; !slices.Contains(strings.Fields(output), "testns") ||
		strings.Contains(output, w.ID()) {
		t.Errorf("ip netns list says %q", output)
	}
	_, err := newDriver(t).Run(t.Context(), w, labtest.Command(t, "sh -c 'bridge -n testns link'"))
	var unavailable *scenario.Unavailable
	if !errors.As(err, &unavailable) {
		t.Errorf("a namespace in the words of a shell: %v", err)
	}
	if _, err := os.Stat("/run/netns/" + w.Real("testns")); err != nil {
		t.Error(err)
	}
}

// Without busybox, or with one that has no ip, there is no driver, and the error says what is missing.
func TestNewSaysWhatIsMissing(t *testing.T) {
	for _, c := range []struct{ program, want string }{
		{"", "the program busybox is not installed"},
		{"#!/bin/sh\necho ping\necho sh\n", "busybox has no ip"},
		{"#!/bin/sh\nexit 1\n", "list the applets of busybox"},
	} {
		dir := t.TempDir()
		if c.program != "" {
			if err := os.WriteFile(dir+"/busybox", []byte(c.program), 0o755); err != nil {
				t.Fatal(err)
			}
		}
		t.Setenv("PATH", dir)
		err := find()
		if c.program == "" && err == nil {
			continue // LookPath also searches the system directories
		}
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: %v, want %q", c.program, err, c.want)
		}
	}
}
