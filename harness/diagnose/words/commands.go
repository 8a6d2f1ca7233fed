package words

import (
	"net/netip"
	"strconv"

	"netnscheck/harness/diagnose/facts"
	"netnscheck/harness/state"
)

func Metric(r *state.Route) string {
	if r.Metric == 0 {
		return ""
	}
	return " metric " + strconv.Itoa(int(r.Metric))
}

// Table is the table of a route in the words of a command; "" for the table main.
func Table(r *state.Route) string {
	if r.Table == state.TableMain {
		return ""
	}
	return " table " + state.TableName(r.Table)
}

// DeleteRoute is the command that deletes a route with one nexthop.
func DeleteRoute(n *state.Namespace, r *state.Route) string {
	h, via := r.Nexthops[0], ""
	switch {
	case h.Via.IsValid() && facts.FamilyOf(h.Via) != r.Family:
		via = "via inet6 " + h.Via.String() + " "
	case h.Via.IsValid():
		via = "via " + h.Via.String() + " "
	}
	return IP(n, "%sroute del %s %sdev %s%s%s", Six(r.Family), state.PrefixText(r.To), via, h.Dev, Metric(r), Table(r))
}

// ConnectedRoute is the command that restores the connected route of an address.
func ConnectedRoute(n *state.Namespace, l *state.Link, a state.Address) string {
	if a.Prefix.Addr().Is6() {
		return IP(n, "-6 route add %s dev %s proto kernel metric 256", facts.Covered(a), l.Name)
	}
	return IP(n, "route add %s dev %s proto kernel scope link src %s", facts.Covered(a), l.Name, a.Prefix.Addr())
}

func Nodad(a netip.Addr) string {
	if a.Is6() {
		return " nodad"
	}
	return ""
}

// By is the nexthop of a route in the words of a command.
func By(h state.Nexthop) string {
	switch {
	case !h.Via.IsValid():
		return "dev " + h.Dev
	case h.Via.IsLinkLocalUnicast():
		return "via " + h.Via.String() + " dev " + h.Dev
	}
	return "via " + h.Via.String()
}
