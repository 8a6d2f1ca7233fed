package operation

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseShownRoute(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]string{
		"10.1.0.0/16 dev e linkdown":                    "10.1.0.0/16 dev e linkdown",
		"10.1.0.0/16 via 10.0.0.2 onlink dead linkdown": "10.1.0.0/16 via 10.0.0.2 onlink linkdown dead",
		"10.1.0.0/16 nhid 0x7":                          "10.1.0.0/16 nhid 7",
		"fd01::/64 encap seg6 mode encap segs fd00::5,FD00::6 dev e": "fd01::/64 encap seg6 mode encap segs " +
			"fd00::5,fd00::6 dev e",
		"10.1.0.0/16 encap mpls 100/0x10 ttl 5 via 10.0.0.2": "10.1.0.0/16 encap mpls 100/16 ttl 5 via 10.0.0.2",
		"10.1.0.0/16 encap ip id 5 dst 10.0.0.9 src 10.0.0.1 tos 10 key dev e src 10.0.0.2": "10.1.0.0/16 encap " +
			"ip id 5 dst 10.0.0.9 src 10.0.0.1 tos 0x10 key dev e src 10.0.0.2",
		"10.1.0.0/16 nexthop via 10.0.0.2 linkdown nexthop encap ip6 dst fd00::9 dev f dead": "10.1.0.0/16 " +
			"nexthop via 10.0.0.2 linkdown nexthop encap ip6 dst fd00::9 dev f dead",
		"default encap xfrm dev e": "default encap xfrm dev e",
	} {
		route, err := ParseShownRoute(split(line))
		if err != nil {
			t.Errorf("%s: %v", line, err)
			continue
		}
		got := strings.Join(append([]string{route.destination()}, route.args()...), " ")
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", line, diff)
		}
		if again, err := ParseShownRoute(split(got)); err != nil || !routesEqual(route, again) {
			t.Errorf("%s: read again it is %v, %v", got, again, err)
		}
	}
}

func routesEqual(a, b Route) bool { return equal(RouteChange{Route: a}, RouteChange{Route: b}) }

func TestParseShownRouteRefuses(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]string{
		"10.1.0.0/16 dev e linkdwn":                 "cannot say linkdwn",
		"10.1.0.0/16 nhid x":                        `use "x": nhid takes a whole number`,
		"10.1.0.0/16 encap":                         `use "encap": a value must follow`,
		"10.1.0.0/16 encap mlps 100":                "cannot say mlps",
		"10.1.0.0/16 encap mpls 2000000":            "mpls takes labels from 0 to 1048575",
		"10.1.0.0/16 encap ip dst fd00::1":          "the command is about IPv4",
		"10.1.0.0/16 encap ip id 5 id 6":            "it is written twice",
		"10.1.0.0/16 encap seg6 segs 10.0.0.1":      "segs takes IPv6 addresses separated by commas",
		"10.1.0.0/16 encap ip id -5":                "id takes a whole number",
		"10.1.0.0/16 encap xfrm if_id 5":            "cannot say if_id",
		"10.1.0.0/16 nexthop dev e encap ip6 ttl 5": "cannot say ttl",
	} {
		if _, err := ParseShownRoute(split(line)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want … %s", line, err, want)
		}
	}
	// No command takes the flags of the kernel.
	for _, line := range []string{"10.1.0.0/16 dev e linkdown", "10.1.0.0/16 dev e dead"} {
		if _, err := ParseRoute(split(line)); err == nil {
			t.Errorf("%s: taken as a route to add", line)
		}
	}
}
