package program

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"netnscheck/harness/scenario"
)

func TestStarted(t *testing.T) {
	for _, c := range []struct{ line, want string }{
		{"ping -c1 192.0.2.1", "ping"},
		{"ip -n a link", "ip"},
		{"ip netns exec a ping 192.0.2.1", "ip ping"},
		{"ip -netns a netns exec b ip netns exec c ping 192.0.2.1", "ip ping"},
		{"ip netns exec", "ip"},
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
		if got := strings.Join(Started(argv), " "); got != c.want {
			t.Errorf("%s\n got %s\nwant %s", c.line, got, c.want)
		}
	}
}

// TestStartedSideBySide: shell scripts are read in several goroutines at once (run it with -race).
func TestStartedSideBySide(t *testing.T) {
	names := []string{"ping", "nft", "bridge", "tcpdump", "ethtool", "busybox"}
	var all sync.WaitGroup
	for _, name := range names {
		argv := []string{"sh", "-c", "'" + name + "' -x \"a b\" | sort " + name}
		want := []string{"sh", name, "sort"}
		all.Go(func() {
			for range 200 {
				if got := Started(argv); !slices.Equal(got, want) {
					t.Errorf("got %q, want %q", got, want)
					return
				}
			}
		})
	}
	all.Wait()
}

// onlyPrograms sets PATH so that only these programs are found.
func onlyPrograms(t *testing.T, names ...string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	for _, name := range names {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	before := systemDirs
	systemDirs = nil
	t.Cleanup(func() { systemDirs = before })
	t.Setenv("PATH", dir)
	return dir
}

func TestInstalled(t *testing.T) {
	dir := onlyPrograms(t, "ip", "sh", "timeout", "apt-get")
	systemDirs = []string{dir}
	held, refused := scenario.Status{}, scenario.Status{Any: true}
	for _, c := range []struct {
		line    string
		status  scenario.Status
		missing string // "" if nothing is
	}{
		{"sh -c true", held, ""},
		{"no-such-program", held, "no-such-program"},
		{"no-such-program", refused, "no-such-program"}, // without a namespace there is nothing to refuse it
		{"ip netns exec a sh -c true", held, ""},
		{"ip netns exec a no-such-program", held, "no-such-program"},
		{"ip netns exec a no-such-program", refused, ""},
		{"ip netns exec a no-such-program", scenario.Status{Code: 255}, ""},
		{"ip -n a netns exec b no-such-program", held, "no-such-program"},
		{"ip netns exec a ip netns exec b no-such-program", held, "no-such-program"},
		{"timeout 1 no-such-program", held, "no-such-program"},
		{"timeout 1 no-such-program", refused, ""},
		{"sh -c no-such-program", scenario.Status{Code: 127}, ""},
		{"sh -c 'no-such-program | other-program'", held, "no-such-program other-program"},

		// A program that a known package has is not a lesson about one that does not exist.
		{"ip netns exec a ping -c1 192.0.2.1", held, "ping"},
		{"ip netns exec a ping -c1 192.0.2.1", refused, "ping"},
		{"ip netns exec a sh -c 'nft list ruleset | grep table || no-such-program'", refused, "nft grep"},
		{"ip netns exec a timeout 1 nft monitor", scenario.Status{Code: 124}, "nft"},
		{"ip netns exec a " + dir + "/ping -c1 192.0.2.1", refused, dir + "/ping"},
		{"ip netns exec a " + dir + "/sh", refused, ""},
		{"ip netns exec a /run/ping -c1 192.0.2.1", refused, ""}, // the lesson may make it
		{"ip netns exec a /etc/netns/a/script", held, ""},        // the lesson may write it
	} {
		argv, err := scenario.Words(c.line)
		if err != nil {
			t.Fatal(err)
		}
		var unavailable *scenario.Unavailable
		switch err = Installed(scenario.Command{Argv: argv, Status: c.status}); {
		case c.missing == "" && err != nil:
			t.Errorf("%s, %+v: %v", c.line, c.status, err)
		case c.missing != "" && (!errors.As(err, &unavailable) || strings.Join(unavailable.Programs, " ") != c.missing):
			t.Errorf("%s, %+v: %v, want that %s is missing", c.line, c.status, err, c.missing)
		}
	}
}

func TestNotInstalled(t *testing.T) {
	onlyPrograms(t, "dnf")
	for _, c := range []struct{ names, want string }{
		{"ping", "the program ping is not installed (package iputils)"},
		{"no-such-program", "the program no-such-program is not installed"},
		{"ping nft arping x", "the programs ping, nft, arping, x are not installed (packages iputils, nftables)"},
	} {
		names := strings.Fields(c.names)
		got := NotInstalled(names...)
		if got.Reason != c.want || !slices.Equal(got.Programs, names) {
			t.Errorf("%s: %q, %q; want %q", c.names, got.Reason, got.Programs, c.want)
		}
	}
}
