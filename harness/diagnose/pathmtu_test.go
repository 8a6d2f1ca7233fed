package diagnose

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	"netnscheck/harness/diagnose/faults"
	"netnscheck/harness/diagnose/finding"
	"netnscheck/harness/state"
)

// TestPathMTU: a sender keeps a cached path MTU after the MTU of the link was raised.
func TestPathMTU(t *testing.T) {
	learned := func(to, via string, mtu int) state.Route {
		return state.Route{Family: 4, Type: "unicast", To: netip.MustParsePrefix(to), Table: state.TableMain, MTU: mtu,
			Nexthops: []state.Nexthop{{Via: netip.MustParseAddr(via), Dev: "eth0"}}}
	}
	const forget = "ip -n a route flush cache"
	for _, c := range []struct {
		what    string
		learned state.Route
		narrow  int // the MTU of eth0 in b
		size    int
		want    string
		mends   []string
	}{
		{"too large", learned("10.2.0.1/32", "10.1.0.254", 1300), 1500, 1400, "mtu-exceeded eth0 in a",
			[]string{forget}},
		{"not too large", learned("10.2.0.1/32", "10.1.0.254", 1300), 1500, 1200, "", nil},
		{"small as ever", learned("10.2.0.1/32", "10.1.0.254", 1300), 1500, 0, "", nil},
		{"of another address", learned("10.2.0.2/32", "10.1.0.254", 1300), 1500, 1400, "", nil},
		{"by another gateway", learned("10.2.0.1/32", "10.1.0.253", 1300), 1500, 1400, "", nil},
		{"beside a fault", learned("10.2.0.1/32", "10.1.0.254", 1300), 1300, 1400, "mtu-mismatch eth0 in b",
			[]string{"ip -n b link set eth0 mtu 1500", forget}},
		{"nothing beside a fault", learned("10.2.0.2/32", "10.1.0.254", 1300), 1300, 1400, "mtu-mismatch eth0 in b",
			[]string{"ip -n b link set eth0 mtu 1500"}},
	} {
		s := routed()
		s.Namespace("a").PathMTUs = []state.Route{c.learned}
		s.Namespace("b").Link("eth0").MTU = c.narrow
		r := Diagnose(s, Query{From: "a", To: netip.MustParseAddr("10.2.0.1"), Size: c.size})
		got, repair := "", []string(nil)
		if r.Cause != nil {
			got, repair = r.Cause.Name.String()+" "+r.Cause.Place(), r.Cause.Repair
		}
		if got != c.want || !slices.Equal(repair, c.mends) {
			t.Errorf("%s: cause %q, want %q; the repair is %q", c.what, got, c.want, repair)
		}
	}
}

// TestNarrowRoute: the command that replaces a route has nothing that ip or the kernel would refuse.
func TestNarrowRoute(t *testing.T) {
	n := Cabled().Namespace("a")
	hop := state.Nexthop{Via: netip.MustParseAddr("10.0.0.2"), Dev: "eth0", Flags: []string{"onlink", "linkdown"}}
	r := state.Route{Family: 4, Type: "unicast", To: netip.MustParsePrefix("10.9.0.0/16"), Table: state.TableMain,
		Proto: "boot", MTU: 1000, Nexthops: []state.Nexthop{hop}}
	for id, want := range map[uint32]string{
		0: "ip -n a route replace 10.9.0.0/16 via 10.0.0.2 dev eth0 onlink mtu 1400",
		5: "ip -n a route replace 10.9.0.0/16 nhid 5 mtu 1400",
	} {
		r.NexthopID = id
		var c finding.Cause
		faults.NarrowRoute(n, &r, 1400).Widen(&c)
		if got := strings.Join(c.Repair, "\n"); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}
