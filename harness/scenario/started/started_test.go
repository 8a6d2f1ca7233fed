package started_test

import (
	"slices"
	"strings"
	"sync"
	"testing"

	"netnscheck/harness/scenario"
	. "netnscheck/harness/scenario/started"
)

// packaged are the programs that a package contains in these tests.
func packaged(name string) bool { return slices.Contains([]string{"ping", "nft", "ss"}, name) }

func TestPrograms(t *testing.T) {
	for _, c := range []struct{ line, want string }{
		{"ping -c1 192.0.2.1", "ping"},
		{"ip -n a link", "ip"},
		{"ip netns exec a ping 192.0.2.1", "ip ping"},
		{"ip -netns a netns exec b ip netns exec c ping 192.0.2.1", "ip ping"},
		{"ip netns exec", "ip"},
		{"ip -all netns exec timeout 1 nft monitor", "ip timeout nft"},
		{"/bin/ping 192.0.2.1", "/bin/ping"},

		{"timeout 1 ping 192.0.2.1", "timeout ping"},
		{"timeout -k 2 -s KILL 1 ping 192.0.2.1", "timeout ping"},
		{"timeout --signal=KILL --kill-after 2 -- 1 ping", "timeout ping"},
		{"timeout -k2 1", "timeout"},
		{"timeout 1 ip netns exec a timeout 1 nft list ruleset", "timeout ip nft"},
		{"env A=b -u C ping", "env -u"}, // env itself takes it for the program
		{"env -u C A=b ping", "env ping"},
		{"env -i -S 'A=b ping -c1' 192.0.2.1", "env ping"},
		{"env -S'ping -c1' 192.0.2.1", "env ping"},
		{"env --split-string='ping -c1'", "env ping"},
		{"env PATH=/opt/bin strange", "env"},
		{"nsenter --net=/run/netns/a nft list ruleset", "nsenter nft"},
		{"nsenter -t 4711 -n -- nft list ruleset", "nsenter nft"},
		{"unshare -rn --propagation private ip link", "unshare ip"},
		{"setpriv --reuid=1 --clear-groups --bounding-set -all ping", "setpriv ping"},
		{"setsid -f nohup nice -n 5 stdbuf -oL nft monitor", "setsid nohup nice stdbuf nft"},
		{"strace -f -e trace=network -o /dev/null ip link", "strace ip"},
		{"taskset 1 ping", "taskset ping"},
		{"taskset -p 4711", "taskset"},
		{"chrt -f 1 ping", "chrt ping"},
		{"flock /run/lock ping", "flock ping"},
		{"flock -w 1 /run/lock -c 'ping -c1 192.0.2.1'", "flock ping"},
		{"capsh --drop=cap_net_raw -- -c 'ping 192.0.2.1'", "capsh bash ping"},
		{"xargs -n 1 ping", "xargs ping"},
		{"busybox sh -c 'wget -qO- http://192.0.2.1/'", "busybox"}, // its shell starts busybox's own programs
		{"chroot /elsewhere ping", "chroot"},                       // there are other programs in it
		{"true ping", "true"},

		{"sh -c 'ping -c1 192.0.2.1'", "sh ping"},
		{"sh -ec 'ping -c1 192.0.2.1'", "sh ping"},
		{"bash -o pipefail -c 'nft list ruleset | wc -l'", "bash nft wc"},
		{"sh script.sh -c ping", "sh"},
		{"sh", "sh"},
		{"sh -c", "sh"},
		{"sh -c 'nft monitor >/dev/null & tcpdump || ss; (arping) && { dig; }'", "sh nft tcpdump ss arping dig"},
		{"sh -c 'A=1 \"ping\" $(dig +short x) `nc x`'", "sh ping dig nc"},
		{"sh -c 'for i in 1 2; do \\wg; done; if jq; then socat; fi'", "sh wg jq socat"},
		{"sh -c 'cat <(nft list ruleset) <<EOF\n$(ss)\nEOF'", "sh cat nft ss"},
		{"sh -c 'cd /; echo ping; test -e ping; [ -e ping ]; kill %1; exit 1'", "sh"},
		{"sh -c 'try() { ping \"$@\"; }; try 192.0.2.1'", "sh ping"},
		{"sh -c '$program; \"$HOME\"/bin/x; timeout 1 $program; timeout $limit ping'", "sh timeout ping"},
		{"sh -c 'exec -a x ping'", "sh ping"},
		{"sh -c 'eval \"ping -c1\"; trap \"nft flush ruleset\" EXIT; command ss; trap - EXIT'", "sh ping nft ss"},
		{"sh -c 'ip netns exec \"$ns\" ping; time nft list ruleset'", "sh ip ping nft"},
		{"sh -c 'sh -c \"ping -c1 192.0.2.1\"'", "sh ping"},
		{"sh -c 'command -v nft && nft list ruleset'", "sh"},                          // the script asks itself
		{"sh -c 'cp \"$(command -v ping)\" /run; /run/ping'", "sh cp ping /run/ping"}, // a use of its path
		{"sh -c '. ./functions; try; ping'", "sh ping"},                               // try may be a function
		{"sh -c 'PATH=/opt/bin; strange'", "sh"},
		{"sh -c 'if'", "sh"},
	} {
		argv, err := scenario.Words(c.line)
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(Programs(argv, packaged), " "); got != c.want {
			t.Errorf("%s\n got %s\nwant %s", c.line, got, c.want)
		}
	}
}

// TestProgramsSideBySide: shell scripts are read in several goroutines at once (run it with -race).
func TestProgramsSideBySide(t *testing.T) {
	names := []string{"ping", "nft", "bridge", "tcpdump", "ethtool", "busybox"}
	var all sync.WaitGroup
	for _, name := range names {
		argv := []string{"sh", "-c", "'" + name + "' -x \"a b\" | sort " + name}
		want := []string{"sh", name, "sort"}
		all.Go(func() {
			for range 200 {
				if got := Programs(argv, packaged); !slices.Equal(got, want) {
					t.Errorf("got %q, want %q", got, want)
					return
				}
			}
		})
	}
	all.Wait()
}

func TestBehind(t *testing.T) {
	names := []string{"ip", "ping", "sysctl", "busybox ip"}
	for _, c := range []struct{ line, name, unread string }{
		{"ip link", "ip", ""},
		{"/sbin/ip link", "ip", ""},
		{"env A=b ip link", "ip", ""},
		{"env PATH=/opt/bin ip link", "ip", ""},
		{"timeout 5 ip link", "ip", ""},
		{"nice -n 5 ping 192.0.2.1", "ping", ""},
		{"sudo -u root -n ip link", "ip", ""},
		{"xargs -n 1 ip link del", "ip", ""},
		{"nsenter --net=/run/netns/a ip link", "ip", ""},
		{"chroot / ip link", "ip", ""},
		{"watch -n 1 ip link", "ip", ""},
		{"find /run -name x -exec ip link +", "ip", ""},
		{"su -c 'sysctl -w a.b=1'", "sysctl", ""},
		{"script -q -c 'ip link' /dev/null", "ip", ""},
		{"setpriv --bounding-set=-net_admin ip link", "ip", ""},
		{"sh -c 'nft list ruleset; ip link'", "ip", ""},
		{"sh -c 'PATH=/sbin; ip link'", "ip", ""},
		{"sh -c 'command -v ip && ip link'", "ip", ""},
		{"sh -c '. ./x; ip link'", "ip", ""},
		{"sh -c '\"$(command -v ping)\" 192.0.2.1'", "ping", ""},
		{"bash -c 'sh -c \"ip link\"'", "ip", ""},
		{"sh -c 'f() { ip link; }; f'", "ip", ""},
		{"sh -c '$x; ip link'", "ip", ""},
		{"busybox ip link", "busybox ip", ""},
		{"busybox sh -c 'ip link'", "ip", ""},
		{"busybox timeout 1 ip link", "ip", ""},
		{"timeout 1 busybox ip link", "busybox ip", ""},

		{"sh /run/script", "", "sh /run/script"},
		{"sh -c 'printf x | sh'", "", "sh"},
		{"sh -c '. /run/functions; try'", "", ". /run/functions"},
		{"sh -c '$program link'", "", "$…"},
		{"sh -c 'eval \"$text\"'", "", "eval $…"},
		{"timeout 1 /run/script", "", "/run/script"},

		{"nft add table ip filter", "", ""},
		{"nft -f /run/rules", "", ""},
		{"tc qdisc add dev ip root pfifo", "", ""},
		{"sh -c 'command -v ip'", "", ""},
		{"sh -c 'echo ip; printf ping >/run/ip; kill %1'", "", ""},
		{"sh -c 'for i in 1 2; do nc 192.0.2.1 $i; done'", "", ""},
		{"busybox wget -qO- http://192.0.2.1/", "", ""},
		{"/usr/bin/nft list ruleset", "", ""},
		{"sh -c 'if'", "", ""},
	} {
		argv, err := scenario.Words(c.line)
		if err != nil {
			t.Fatal(err)
		}
		if name, unread := Behind(argv, names...); name != c.name || unread != c.unread {
			t.Errorf("%s: %q, %q; want %q, %q", c.line, name, unread, c.name, c.unread)
		}
	}
}
