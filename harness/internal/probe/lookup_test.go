package probe

import (
	"net/netip"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// TestRefusal: the words tell what kept a packet, by errno and by what was asked.
func TestRefusal(t *testing.T) {
	own := RouteRequest{}
	arrives := RouteRequest{Iif: 7, From: netip.MustParseAddr("10.0.0.9")}
	for _, c := range []struct {
		errno syscall.Errno
		asked RouteRequest
		want  string
	}{
		{unix.ENETUNREACH, own, "network is unreachable (ENETUNREACH): no route"},
		{unix.EHOSTUNREACH, own, "no route to host (EHOSTUNREACH): an unreachable route"},
		{unix.EHOSTUNREACH, arrives, "an interface that does not forward"},
		{unix.EACCES, arrives, "permission denied (EACCES): a prohibit route or rule"},
		{unix.EINVAL, own, "invalid argument (EINVAL): a blackhole route or rule"},
		{unix.EINVAL, arrives, "refused by the reverse path filter"},
		{unix.EINVAL, RouteRequest{Iif: 7}, "write from"},
		{unix.EXDEV, arrives, "invalid cross-device link (EXDEV): the reverse path filter"},
		{unix.ENODEV, own, "no such device (ENODEV)"},
	} {
		if got := (LookupResult{Errno: c.errno}).Refusal(c.asked); !strings.Contains(got, c.want) {
			t.Errorf("%v, asked %+v: %q, want … %s", c.errno, c.asked, got, c.want)
		}
	}
	if got := (LookupResult{}).Refusal(arrives); got != "" {
		t.Errorf("a route is refused: %q", got)
	}
}
