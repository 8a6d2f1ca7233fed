package main_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// lied is a scenario whose commands are operations, so that everything that changes has to be declared.
const lied = `# Two namespaces and a cable

## Make them
` + "```console\n$ ip netns add a\n$ ip netns add b\n" +
	"$ ip link add eth0 netns a type veth peer name eth0 netns b\n```\n" + `
- [ ] namespace ` + "`b`" + ` exists

## Give an address
` + "```console\n$ ip -n a addr add 10.0.0.1/24 dev eth0\n```\n" + `
- [ ] ` + "`eth0` in `a` has the address `10.0.0.1/24`" + `

## Switch it on
` + "```console\n$ ip -n a link set eth0 up\n```\n" + `
- [ ] ` + "`eth0` in `a` is up" + `
`

// TestLies: a program that changes more than it was told to, or leaves something behind, is told by the step in which
// it did so, with iproute2 alone, and what it changed is named.
func TestLies(t *testing.T) {
	needSandbox(t)
	ip := installed(t, "ip")
	for name, c := range map[string]struct {
		needs, when, does string // the program it needs; the words of the command after which it lies; what it does
		says              []string
	}{
		"another MTU": {"", "link set", ip + " -n a link set eth0 mtu 1400", []string{"Switch it on", "MTU 1500, then 1400"}},
		"an alias":    {"", "addr add", ip + " -n a link set eth0 alias x", []string{"Give an address", "alias none, then"}},
		"another address": {"", "addr add", ip + " -n b addr add 10.0.0.2/24 dev eth0",
			[]string{"Give an address", "b: eth0: address 10.0.0.2/24 appeared"}},
		"a route": {"", "link set", ip + " -n a route add 10.9.0.0/16 dev eth0",
			[]string{"Switch it on", "route 10.9.0.0/16 dev eth0 scope link appeared"}},
		"a rule": {"", "addr add", ip + " -n b rule add pref 9 lookup 7", []string{"Give an address", "b: rule 9:"}},
		"a neighbour": {"", "link set", ip + " -n a neigh replace 10.0.0.7 lladdr 02:00:00:00:00:07 dev eth0",
			[]string{"Switch it on", "neighbour 10.0.0.7 dev eth0 appeared"}},
		"a namespace": {"", "addr add", ip + " netns add sneaky", []string{"Give an address", "namespace sneaky appeared"}},
		"a link": {"", "addr add", ip + " -n b link add br0 type bridge",
			[]string{"Give an address", "b: interface br0 appeared"}},
		"the other end goes": {"", "addr add", ip + " -n b link set eth0 down; " + ip + " -n b link set eth0 name x",
			[]string{"Give an address", "b: interface x appeared"}},
		"forwarding": {"sysctl", "addr add", ip + " netns exec b sysctl -qw net.ipv4.ip_forward=1",
			[]string{"Give an address", "b: sysctl net.ipv4.ip_forward 0, then 1"}},
		"SYN cookies": {"sysctl", "link set", ip + " netns exec a sysctl -qw net.ipv4.tcp_syncookies=0",
			[]string{"Switch it on", "a: sysctl net.ipv4.tcp_syncookies 1, then 0"}},
		"a filter": {"nft", "addr add", ip + " netns exec b nft add table ip leak",
			[]string{"Give an address", "b: the packet filters changed"}},
		"a queueing discipline": {"tc", "link set", ip + " netns exec a tc qdisc add dev eth0 root pfifo",
			[]string{"Switch it on", "a: qdisc pfifo dev eth0 root"}},
		"an offload": {"ethtool", "link set", ip + " netns exec a ethtool -K eth0 tso off",
			[]string{"Switch it on", "a: eth0: offloads were switched"}},
		"a process": {"setsid", "addr add", "setsid sleep 987 >/dev/null 2>&1 </dev/null &",
			[]string{"Give an address", "a process was left running: "}},
		"a process with an empty environment": {"setsid", "addr add",
			"env -i setsid sleep 987 >/dev/null 2>&1 </dev/null &",
			[]string{"Give an address", "a process was left running: "}},
		"a file among the names": {"", "addr add", ": >/run/netns/stray",
			[]string{"Give an address", "/run/netns/stray appeared"}},
		"a folder among the names": {"", "netns add b", "mkdir /run/netns/stray",
			[]string{"Make them", "/run/netns/stray appeared"}},
		"a second name": {"", "link set", ": >/run/netns/c; mount --bind /run/netns/a /run/netns/c",
			[]string{"Switch it on", "namespace c appeared"}},
		"a file of names to resolve": {"", "addr add", "mkdir -p /etc/netns/b; echo nameserver ::1 >/etc/netns/b/resolv.conf",
			[]string{"Give an address", "/etc/netns/b/resolv.conf appeared"}},
		"a new namespace that forwards": {"sysctl", "netns add b", ip + " netns exec b sysctl -qw net.ipv4.ip_forward=1",
			[]string{"Make them", "b: sysctl net.ipv4.ip_forward 0, then 1"}},
		"a new namespace that filters": {"nft", "netns add b", ip + " netns exec b nft add table ip leak",
			[]string{"Make them", "b: the packet filters changed"}},
		"a signal":  {"", "addr add", "kill -SEGV $$", []string{"Give an address", "139 (SIGSEGV)"}},
		"a noise":   {"", "addr add", "yes noise | head -c 1000000", []string{"of 1000000 bytes left out"}},
		"a program": {"", "addr add", "exec sleep 1000", []string{"Give an address", "running are: sleep 1000 (waits in "}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if c.needs != "" {
				installed(t, c.needs)
			}
			dir := t.TempDir()
			bin := filepath.Join(dir, "bin")
			for _, d := range []string{dir, bin} {
				if err := os.MkdirAll(d, 0o755); err != nil {
					t.Fatal(err)
				}
			}
			script := "#!/bin/sh\n" + ip + ` "$@" || exit` + "\ncase \"$*\" in *'" + c.when + "'*) " + c.does + ";; esac\n"
			for file, text := range map[string]string{"bin/ip": script, "lied.md": lied} {
				if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o755); err != nil {
					t.Fatal(err)
				}
			}
			cmd := command(t, dir, "run", "lied.md", "--driver", "iproute2", "-q")
			cmd.Env = append(cmd.Environ(), "PATH="+bin+":"+os.Getenv("PATH"))
			told := finish(t, cmd)
			if name == "a noise" { // it is no lie, but must not fill the reports
				report, err := os.ReadFile(filepath.Join(dir, "results", "junit.xml"))
				if err != nil || len(report) > 100<<10 || !strings.Contains(string(report), c.says[0]) {
					t.Errorf("the report has %d bytes (%v), and does not say: %s", len(report), err, c.says[0])
				}
				return
			}
			told.want(t, 1, c.says...)
		})
	}
}
