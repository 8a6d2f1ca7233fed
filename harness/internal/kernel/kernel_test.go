package kernel

import (
	"context"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"netnscheck/harness/internal/sandbox"
)

func TestMain(m *testing.M) { os.Exit(sandbox.TestMain(m)) }

// An independent witness: in a namespace of its own, `ip` fails to add exactly those links that are found absent.
func TestFindingsAgreeWithIP(t *testing.T) {
	ip := need(t, "ip")
	unshare := need(t, "unshare")
	for name, add := range map[string]string{
		"veth": "type veth", "bridge": "type bridge", "dummy": "type dummy", "ifb": "type ifb",
		"wireguard": "type wireguard",
		"macvlan":   "link below0 type macvlan", "ipvlan": "link below0 type ipvlan",
		"vlan":  "link below0 type vlan id 5",
		"vxlan": "type vxlan id 5 dstport 4789", "geneve": "type geneve id 5 remote 192.0.2.1",
		"vrf":  "type vrf table 100",
		"bond": "type bond", "gre": "type gre local 192.0.2.2 remote 192.0.2.1",
	} {
		t.Run(name, func(t *testing.T) {
			script := ip + " link add below0 type veth && exec " + ip + " link add trial0 " + add
			output, err := exec.Command(unshare, "-n", "sh", "-c", script).CombinedOutput()
			want := Present
			if err != nil {
				if !strings.Contains(string(output), "Unknown device type") {
					t.Fatalf("%v\n%s", err, output)
				}
				want = Absent
			}
			got := look(t, name)
			if got.Presence != want {
				t.Errorf("%s: %v (%s), but ip says: %v %s", name, got.Presence, got.Reason, err, output)
			}
		})
	}
}

func TestFindingsAgreeWithOtherPrograms(t *testing.T) {
	unshare := need(t, "unshare")
	for _, c := range []struct{ feature, program, script string }{
		{"nftables", "nft", "nft add table inet trial"},
		{"nft-ct", "nft", "nft 'add table inet t; add chain inet t c { type filter hook input priority 0; }; add " +
			"rule inet t c ct state established accept'"},
		{"nft-reject", "nft",
			"nft 'add table inet t; add chain inet t c { type filter hook input priority 0; }; add rule inet t c " +
				"reject'"},
		{"nft-nat", "nft", "nft 'add table ip t; add chain ip t o { type nat hook postrouting priority 100; }; add " +
			"rule ip t o masquerade; " +
			"add chain ip t i { type nat hook prerouting priority 0; }; add rule ip t i dnat to 192.0.2.1'"},
		{"tbf", "tc",
			"ip link add trial0 type veth && tc qdisc add dev trial0 root tbf rate 1mbit burst 4kb limit 16kb"},
		{"netem", "tc", "ip link add trial0 type veth && tc qdisc add dev trial0 root netem delay 1ms"},
		{"bridge-vlan-filtering", "bridge",
			"ip link add br0 type bridge vlan_filtering 1 && ip link add p0 master br0 type veth && bridge vlan add " +
				"vid 5 dev p0"},
		{"bridge-igmp-snooping", "ip",
			"ip link add br0 type bridge && ip -d link show br0 | grep -w 'mcast_snooping 1'"},
		{"br-netfilter", "sysctl", "sysctl net.bridge.bridge-nf-call-iptables"},
		{"tun", "ip", "ip tuntap add dev trial0 mode tun"},
		{"ipv6", "ip", "ip addr add fd00::1/128 dev lo"},
		{"nested-userns", "ip", "unshare -U -r -n ip link set lo up"},
		{"links-in-place", "ip", "unshare -n sh -c \"ip link add trial0 type veth && ip link add trial0 netns $$ type " +
			"veth peer name other\""},
		{"first-rule-deleted", "ip", "ip link set lo up && ip addr add 192.0.2.1/32 dev lo && ip rule del pref 0 && " +
			"! ip route get 192.0.2.1"},
		{"userns-overlay", "mount", "unshare -U -r -m sh -c 'mount -t tmpfs t /tmp && mkdir /tmp/a /tmp/b && mount -t " +
			"overlay -o lowerdir=/tmp/b:/tmp/a,userxattr overlay /tmp/a'"},
	} {
		t.Run(c.feature, func(t *testing.T) {
			need(t, c.program)
			cmd := exec.Command(unshare, "-n", "sh", "-c", c.script)
			cmd.Env = append(os.Environ(), "PATH="+os.Getenv("PATH")+":/usr/sbin:/sbin")
			output, err := cmd.CombinedOutput()
			if got := look(t, c.feature); (got.Presence == Present) != (err == nil) || got.Presence == Unknown {
				t.Errorf("%v (%s), but the program says: %v %s", got.Presence, got.Reason, err, output)
			}
		})
	}
}

func TestEveryWordIsTold(t *testing.T) {
	words := Words()
	findings, err := Look(context.Background(), words...)
	if err != nil {
		t.Fatal(err)
	}
	for i, f := range findings {
		t.Logf("%-22s %v %s", words[i], f.Presence, f.Reason)
		if f.Presence == Unknown {
			t.Errorf("%s: could not tell: %s", words[i], f.Reason)
		}
		if (f.Presence == Present) != (f.Reason == "") {
			t.Errorf("%s is %v for the reason %q", words[i], f.Presence, f.Reason)
		}
	}
	if !slices.IsSorted(words) {
		t.Errorf("%q is not sorted", words)
	}
}

func TestRequire(t *testing.T) {
	for _, c := range []struct {
		names        []string
		missing, err string
	}{
		{nil, "", ""},
		{[]string{"veth"}, "", ""},
		{[]string{"veth", "program:sh"}, "", ""},
		{[]string{"program:no-such-program", "veth"}, "the program no-such-program is not installed", ""},
		{[]string{"veth", "program:no-such-program", "program:nor-this"},
			"the programs no-such-program, nor-this are not installed", ""},
		{[]string{"vethh"}, "", "unknown feature vethh"},
		{[]string{"program:"}, "", "unknown feature program:"},
		{[]string{"program:no-such-program", "vethh"}, "", "unknown feature vethh"},
	} {
		lacking, err := Require(context.Background(), c.names...)
		missing := ""
		if lacking != nil {
			missing = lacking.Reason
		}
		if missing != c.missing || (err == nil) != (c.err == "") || err != nil &&
			!strings.Contains(err.Error(), c.err) {
			t.Errorf("%q: missing %q, error %v; want %q, %q", c.names, missing, err, c.missing, c.err)
		}
	}
}

func TestUIDsAreThoseOfTheSandbox(t *testing.T) {
	facts, ok := sandbox.Current()
	if !ok {
		t.Fatal("not in a sandbox")
	}
	if got, want := look(t, "uids").Presence == Present, facts.IDs > 1; got != want {
		t.Errorf("other user ids can be had: %v, want %v", got, want)
	}
	err := exec.Command(need(t, "setpriv"), "--reuid=1234", "true").Run()
	if got := look(t, "uids").Presence == Present; got != (err == nil) {
		t.Errorf("other user ids can be had: %v, but setpriv says %v", got, err)
	}
}

func TestACancelledLookIsNoFinding(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if lacking, err := Require(ctx, "xfrm", "veth"); err == nil {
		t.Errorf("no error, lacking %v", lacking)
	}
}

func TestVersions(t *testing.T) {
	uname, err := exec.Command("uname", "-rm").Output()
	if err != nil {
		t.Fatal(err)
	}
	if got, want := Release()+" "+Arch(), strings.TrimSpace(string(uname)); got != want {
		t.Errorf("release and architecture %q, want %q", got, want)
	}
	for _, c := range []struct {
		program, version string
		argv             []string
	}{
		{"ip", IPRoute2(), []string{"-V"}},
		{"busybox", Busybox(), nil},
		{"ping", Ping(), []string{"-V"}},
	} {
		path, err := LookPath(c.program)
		if err != nil {
			if c.version != "" {
				t.Errorf("%s is not there and has the version %q", c.program, c.version)
			}
			continue
		}
		output, _ := exec.Command(path, c.argv...).CombinedOutput()
		number := c.version[strings.LastIndex(c.version, " ")+1:]
		if number == "" || !strings.Contains(string(output), number) {
			t.Errorf("%s has the version %q, but says %q", c.program, c.version, output)
		}
	}
}

func TestPrivilege(t *testing.T) {
	facts, _ := sandbox.Current()
	if got, want := Privilege(), facts.Privilege()+", in a sandbox"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func look(t *testing.T, name string) Finding {
	t.Helper()
	findings, err := Look(context.Background(), name)
	if err != nil {
		t.Fatal(err)
	}
	return findings[0]
}

// need is the path of a program; the test skips without it.
func need(t *testing.T, name string) string {
	t.Helper()
	path, err := LookPath(name)
	if err != nil {
		sandbox.Lacking(t, err)
	}
	return path
}
