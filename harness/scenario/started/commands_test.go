package started_test

import (
	"strings"
	"testing"

	. "netnscheck/harness/scenario/started"
)

func TestCommands(t *testing.T) {
	for _, c := range []struct {
		line, want string
		complete   bool
	}{
		{"ip link set eth0 up", "ip link set eth0 up", true},
		{"ip -n a link", "ip -n a link", true},
		{"ip netns exec a ip link", "ip netns exec a ip link", true},
		{"ip netns exec a nft list ruleset", "a: nft list ruleset", true},
		{"sudo ip -n a link", "ip -n a link", true},
		{"sudo -u root env A=b ip link", "ip link", true},
		{"A=b ip link", "ip link", true},
		{"ip netns exec a sh -c 'ip link set lo up; ping -c1 \"192.0.2.1\"'",
			"a: ip link set lo up; a: ping -c1 192.0.2.1",
			true},
		{"sh -c \"sudo ip netns exec a timeout 1 ip -n b link\"", "a: ip -n b link", true},
		{"nsenter --net=/run/netns/a ip link", "a: ip link", true},
		{"nsenter -t 7 -n ip link; ip addr", "ip link; ip addr", false},
		{"unshare -n ip link", "ip link", false},
		{"ip netns exec a sh -c 'ip link' && ip addr", "a: ip link; ip addr", true},
		{"ip link | grep eth0", "ip link; grep eth0", true},
		{"ip link set eth0 up # at last", "ip link set eth0 up", true},
		{"ip link set \"$dev\" up", "", false},
		{"for n in a b; do ip -n $n link; done", "", false},
		{"cd /run/netns", "", true},
		{"", "", true},
		{"ip link 'set", "", false},
		{"./setup.sh", "./setup.sh", false},
		{"sh setup.sh", "", false},
		{"$ip link", "", false},
	} {
		all, complete := Commands(c.line)
		var got []string
		for _, one := range all {
			text := strings.Join(one.Argv, " ")
			if one.Netns != "" {
				text = one.Netns + ": " + text
			}
			got = append(got, text)
		}
		if text := strings.Join(got, "; "); text != c.want || complete != c.complete {
			t.Errorf("%s\n got %q, %v\nwant %q, %v", c.line, text, complete, c.want, c.complete)
		}
	}
}
