package kernel

import (
	"os"
	"strings"
	"testing"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// TestThreeValues: a feature that no kernel has is absent; a refusal for another reason leaves it unknown.
func TestThreeValues(t *testing.T) {
	rule := func(exprs ...*nl.RtAttr) func(*scratch) error {
		return nft(unix.NFPROTO_INET, &nfChain{"filter", unix.NF_INET_LOCAL_IN, exprs})
	}
	for name, c := range map[string]struct {
		trial func(*scratch) error
		want  Presence
		says  string
		needs string // without it nothing is shown
	}{
		"a kind of link": {kind("veth"), Present, "", ""},
		"no kind of link": {kind("no-such-kind"), Absent,
			"the kernel lacks trial (add a no-such-kind link: operation not supported, EOPNOTSUPP)", ""},
		"a link that is refused": {link(func(a netlink.LinkAttrs) netlink.Link {
			a.MTU = 1
			return &netlink.GenericLink{LinkAttrs: a, LinkType: "veth"}
		}), Unknown, "EINVAL", ""},
		"no queueing discipline": {qdisc(func(a netlink.QdiscAttrs) netlink.Qdisc {
			return &netlink.GenericQdisc{QdiscAttrs: a, QdiscType: "no-such-kind"}
		}), Absent, "ENOENT", ""},
		"a queueing discipline that is refused": {qdisc(func(a netlink.QdiscAttrs) netlink.Qdisc {
			return &netlink.GenericQdisc{QdiscAttrs: a, QdiscType: "tbf"} // without a rate
		}), Unknown, "EINVAL", "tbf"},
		"no expression of nftables": {rule(expression("no-such-expr")), Absent,
			"add an nftables rule: no such file or directory, ENOENT", "nftables"},
		"an expression of nftables that is refused": {rule(expression("ct")), Unknown,
			"add an nftables rule: invalid argument, EINVAL", "nft-ct"},
		"no kind of chain": {nft(unix.NFPROTO_INET, &nfChain{"no-such-kind", unix.NF_INET_LOCAL_IN, nil}), Absent,
			"add an nftables chain: no such file or directory, ENOENT", "nftables"},
		"an option that a bridge ignores": {bridgeOption("trial", func(*netlink.Bridge) **bool { return new(*bool) }),
			Absent, "the kernel lacks trial (it ignores the setting)", "bridge"},
		"the second of two": {both(kind("veth"), kind("no-such-kind")), Absent, "no-such-kind", ""},
		"the first of two":  {both(kind("no-such-kind"), kind("veth")), Absent, "no-such-kind", ""},
	} {
		t.Run(name, func(t *testing.T) {
			if c.needs != "" && look(t, c.needs).Presence != Present {
				t.Skip(look(t, c.needs).Reason)
			}
			s := scratch{ctx: t.Context()}
			got := judge("trial", c.trial(&s))
			if err := s.close(); err != nil {
				t.Error(err)
			}
			if got.Presence != c.want || !strings.Contains(got.Reason, c.says) {
				t.Errorf("%v (%s); want %v (%s)", got.Presence, got.Reason, c.want, c.says)
			}
		})
	}
}

func forget() {
	known.Lock()
	defer known.Unlock()
	known.findings = nil
}

// forbid forbids new namespaces of a kind in the user namespace of the sandbox, until allow or the end of the test.
func forbid(t *testing.T, kind string) (allow func()) {
	t.Helper()
	limit := "/proc/sys/user/max_" + kind + "_namespaces"
	before, err := os.ReadFile(limit)
	if err != nil {
		t.Fatal(err)
	}
	set := func(value []byte) {
		if err := os.WriteFile(limit, value, 0o644); err != nil {
			t.Error(err)
		}
	}
	forget()
	set([]byte("0"))
	t.Cleanup(func() { set(before); forget() })
	return func() { set(before) }
}

// TestNestedUserNamespaces forbids them for real, in the user namespace of the sandbox.
func TestNestedUserNamespaces(t *testing.T) {
	forbid(t, "user")
	if f := look(t, "nested-userns"); f.Presence != Absent ||
		!strings.Contains(f.Reason, "user.max_user_namespaces is 0") {
		t.Errorf("with a limit of 0: %v (%s)", f.Presence, f.Reason)
	}
}

// TestOnlyWhatIsAskedForIsTried: a trial may make the kernel load a module.
func TestOnlyWhatIsAskedForIsTried(t *testing.T) {
	forget()
	if lacking, err := Require(t.Context(), "veth"); lacking != nil || err != nil {
		t.Fatal(lacking, err)
	}
	known.Lock()
	defer known.Unlock()
	if len(known.findings) != 1 {
		t.Errorf("veth is required, and these were tried: %v", known.findings)
	}
}

// TestNothingCanBeTried forbids network namespaces for real, in the user namespace of the sandbox: features are then
// unknown, which is an error, not a skip, and is not remembered.
func TestNothingCanBeTried(t *testing.T) {
	allow := forbid(t, "net")
	names := []string{"nested-userns", "veth", "tbf", "nftables", "nft-nat", "ipv6", "tun", "etc-netns", "sysfs",
		"no-such-feature"}
	for _, name := range names {
		if f := look(t, name); f.Presence != Unknown || f.Reason == "" {
			t.Errorf("%s without namespaces: %v (%s)", name, f.Presence, f.Reason)
		}
		if missing, err := Require(t.Context(), name); err == nil || !strings.Contains(err.Error(), "could not tell") {
			t.Errorf("%s is required: missing %q, error %v; want an error", name, missing, err)
		}
	}
	allow()
	if f := look(t, "veth"); f.Presence != Present {
		t.Errorf("veth, with namespaces again: %v (%s)", f.Presence, f.Reason)
	}
}
