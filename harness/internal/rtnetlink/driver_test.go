package rtnetlink

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"

	"netnscheck/harness/internal/labtest"
	"netnscheck/harness/internal/netns"
	"netnscheck/harness/internal/program"
	"netnscheck/harness/scenario"
)

func behind(word, why string) error {
	return &scenario.CannotSay{Driver: "netlink", Word: word, Why: why}
}

func TestCanSay(t *testing.T) {
	for line, want := range map[string]error{
		"ip link add v0 type veth":            nil,
		"ip link set v0 upp":                  &scenario.CannotSay{Driver: "netlink", Word: "upp"},
		"ip nets add foo":                     &scenario.CannotSay{Driver: "netlink", Word: "nets"},
		"ip link add v0":                      nil, // refused, not unsayable
		"ip monitor":                          &scenario.CannotSay{Driver: "netlink", Word: "monitor"},
		"ip tcp_metrics show":                 &scenario.CannotSay{Driver: "netlink", Word: "tcp_metrics"},
		"ip tunnel show":                      nil,
		"ip netns monitor":                    &scenario.CannotSay{Driver: "netlink", Word: "netns monitor"},
		"ip route get 10.0.0.1 vrf red":       &scenario.CannotSay{Driver: "netlink", Word: "vrf"},
		"ip -6 route get fd00::1 from fd00::": nil,
		"ip -n a netns add b": &scenario.CannotSay{Driver: "netlink",
			Word: "netns add in another namespace"},
		"true":                            nil,
		"ip netns exec a sh -c 'ip link'": behind("sh … ip", "sh would start the real ip"),
		"env A=b ping 192.0.2.1":          behind("env … ping", "env would start the real ping"),
		"timeout 5 sysctl a.b": behind("timeout … sysctl",
			"timeout would start the real sysctl"),
		"busybox ip link": behind("busybox … ip", "busybox would start the real ip"),
		"sh /run/script": behind("sh /run/script",
			"which programs it starts is not known before it runs, perhaps ip"),
		"sh -c 'exec true'": nil,
		"no-such-program": &scenario.Unavailable{
			Reason: "the program no-such-program is not installed", Programs: []string{"no-such-program"}},
	} {
		cmd := labtest.Command(t, line)
		cmd.Status = scenario.Status{}
		if diff := cmp.Diff(want, New().CanSay(cmd)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", line, diff)
		}
	}
	expected := labtest.Command(t, "ip netns exec a no-such-program")
	if err := New().CanSay(expected); err != nil {
		t.Errorf("a program that is missing on purpose: %v", err)
	}
}

func TestRunDoesNotTryWhatItCannotSay(t *testing.T) {
	w := labtest.World(t)
	for _, line := range []string{"ip -n nowhere netns add a", "ip link set lo upp"} {
		_, err := New().Run(t.Context(), w, labtest.Command(t, line))
		var cannot *scenario.CannotSay
		if !errors.As(err, &cannot) {
			t.Errorf("%s: %v, want a *scenario.CannotSay", line, err)
		}
	}
}

func TestRunsOtherPrograms(t *testing.T) {
	labtest.Needs(t, "sh", "cat", "touch", "unshare")
	w := labtest.World(t)
	must(t, w, "ip netns add a", "ip -n a link add inside type veth peer name other")
	for _, tt := range []struct {
		line, output string
		status       int
	}{
		{"sh -c 'echo out; echo err >&2; exit 3'", "out\nerr\n", 3},
		{"ip netns exec a sh -c 'cat /sys/class/net/inside/ifindex'", "3\n", 0},
		{"ip netns exec a ip netns exec a sh -c 'echo $LC_ALL'", "C\n", 0},
		{"sh -c 'kill -9 $$'", "", 137},
		{"sh -c 'touch /run/netns/b && unshare --net=/run/netns/b true; echo $?'", "0\n", 0},
	} {
		x := say(t, w, tt.line)
		if x.Output != tt.output || x.Status != tt.status {
			t.Errorf("%s: status %d, %q; want status %d, %q", tt.line, x.Status, x.Output, tt.status, tt.output)
		}
	}
	must(t, w, "ip -n b link set lo up")
}

func TestWhatStillRunsInTheBackgroundIsNotWaitedFor(t *testing.T) {
	labtest.Needs(t, "sh", "sleep")
	w := labtest.World(t)
	x := say(t, w, "sh -c 'sleep 1000 & echo begun'")
	if x.Output != "begun\n" || x.Duration > 5*time.Minute {
		t.Errorf("output %q after %v", x.Output, x.Duration)
	}
}

func TestEndlessPingEndsWithItsContext(t *testing.T) {
	w := labtest.World(t)
	cause := errors.New("the user wants to leave")
	ctx, cancel := context.WithTimeoutCause(t.Context(), time.Second, cause)
	defer cancel()
	x, err := New().Run(ctx, w, labtest.Command(t, "ping -i 0.1 127.0.0.1"))
	if !errors.Is(err, cause) || !strings.Contains(x.Output, "icmp_seq=2 ") {
		t.Errorf("error %v, output %q; want answers until %v", err, x.Output, cause)
	}
}

func TestPingFindsNamesInTheHostsFileOfItsNamespace(t *testing.T) {
	w := labtest.World(t)
	must(t, w, "ip netns add a", "ip -n a link set lo up")
	x := say(t, w, "ip netns exec a ping -c1 -4 localhost")
	if x.Status != 0 || !strings.Contains(x.Output, "PING localhost (127.") {
		t.Errorf("status %d, %s", x.Status, x.Output)
	}
}

func TestShow(t *testing.T) {
	w := labtest.World(t)
	must(t, w, "ip netns add a", "ip netns add b", "ip netns set b 7",
		"ip link add v0 address 02:00:00:00:00:01 type veth peer name v1",
		"ip addr add 10.0.0.1/24 dev v0", "ip link set v1 up", "ip link set v0 up",
		"ip route add 10.1.0.0/16 via 10.0.0.2", "ip route add unreachable 10.2.0.0/16 table 100",
		"ip rule add to 10.3.0.0/16 lookup 100 pref 7",
		"ip neigh add 10.0.0.2 lladdr 02:00:00:00:00:02 dev v0")
	for line, want := range map[string]string{
		"ip netns":                          "a\nb (id: 7)\n",
		"ip netns list-id":                  "nsid 7 (iproute2 netns name: b)\n",
		"ip netns exec a ip netns identify": "a\n",
		"ip netns identify":                 "",
		"ip netns pids a":                   "",
		"ip -4 addr show dev v0":            "10.0.0.1/24",
		"ip link show up":                   "v0@v1: <",
		"ip l sh v1":                        "v1@v0: <",
		"ip route":                          "10.1.0.0/16 via 10.0.0.2 dev v0",
		"ip route show table 100":           "unreachable 10.2.0.0/16",
		"ip r g 10.1.2.3":                   "10.1.2.3 via 10.0.0.2 dev v0 table main src 10.0.0.1\n",
		"ip route get 10.0.0.1":             "local 10.0.0.1 dev lo table local src 10.0.0.1\n",
		"ip rule":                           "to 10.3.0.0/16 lookup 100",
		"ip neigh show dev v0":              "10.0.0.2 dev v0 lladdr 02:00:00:00:00:02",
		"sysctl net.ipv4.ip_forward":        "net.ipv4.ip_forward = 0\n",
		"sysctl -n net.ipv4.conf.v0":        "\n",
		"ip -n a route":                     "",
	} {
		x := say(t, w, line)
		if x.Status != 0 || !strings.Contains(x.Output, want) || want == "" && x.Output != "" {
			t.Errorf("%s: status %d, %q, want %q in it", line, x.Status, x.Output, want)
		}
	}
	if x := say(t, w, "ip link show v1"); strings.Contains(x.Output, "v0@") {
		t.Errorf("show of v1 includes v0: %s", x.Output)
	}
}

func TestSharedWorldHasTheNamesOfTheLesson(t *testing.T) {
	w, err := netns.New(netns.Options{Shared: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	})
	must(t, w, "ip netns add testns", "ip netns add prodns", "ip link add v0 type veth peer name v1",
		"ip link set v0 netns testns",
		"ip link set v1 netns prodns", "ip -n testns link set v0 up",
		"ip netns exec testns sysctl -w net.ipv4.ip_forward=1")
	for line, want := range map[string]string{
		"ip netns":                               "prodns (id: 1)\ntestns (id: 0)\n",
		"ip netns exec testns ls /sys/class/net": "lo\nv0\n",
		"ip netns add testns":                    "Cannot create namespace file \"/run/netns/testns\": file exists\n",
		"ls /run/netns":                          "prodns\ntestns\n",
	} {
		if x := say(t, w, line); !strings.HasSuffix(x.Output, want) {
			t.Errorf("%s: %q, want %q", line, x.Output, want)
		}
	}
	if status := say(t, w, "ip netns del testns").Status; status != 0 {
		t.Errorf("delete a namespace: status %d", status)
	}
}

func TestLimitIsThatOfPrograms(t *testing.T) {
	w := labtest.World(t)
	ctx, cancel := context.WithTimeoutCause(t.Context(), 200*time.Millisecond, program.ErrLimit)
	defer cancel()
	if _, err := New().Run(ctx, w, labtest.Command(t, "sleep 1000")); !errors.Is(err, program.ErrLimit) {
		t.Errorf("error %v, want %v", err, program.ErrLimit)
	}
}

// TestAnAnswerIsThatToItsOwnRequest: sessions share the host's socket, and with it an answer that an earlier one has
// not read.
func TestAnAnswerIsThatToItsOwnRequest(t *testing.T) {
	w := labtest.World(t)
	must(t, w, "ip link add v0 type veth peer name v1")
	s, err := dial(w, "")
	if err != nil {
		t.Fatal(err)
	}
	h := s.sockets[unix.NETLINK_ROUTE]
	unread := s.request(unix.RTM_NEWLINK, 0, nl.NewIfInfomsg(unix.AF_UNSPEC))
	unread.put(unix.IFLA_IFNAME, nl.ZeroTerminated("v0"))
	h.Seq++
	unread.Seq = h.Seq
	if err := h.Socket.Send(unread.NetlinkRequest); err != nil {
		t.Fatal(err)
	}
	s.close()
	if x := say(t, w, "ip link add v0 type veth peer name v2"); x.Errno != "EEXIST" {
		t.Errorf("add a link that exists: status %d, errno %q, want EEXIST", x.Status, x.Errno)
	}
}
