package claim

import (
	"net/netip"
	"testing"

	"netnscheck/harness/state"
)

func TestSender(t *testing.T) {
	const dest4, dest6 = "203.0.113.1", "2001:db8::1"
	addresses := func(texts ...string) (all []state.Address) {
		for _, text := range texts {
			all = append(all, state.Address{Prefix: netip.MustParsePrefix(text)})
		}
		return all
	}
	via := func(kind, to, dev string) state.Route {
		return state.Route{Type: kind, To: netip.MustParsePrefix(to), Nexthops: []state.Nexthop{{Dev: dev}}}
	}
	peer := addresses("10.0.0.1/32")
	peer[0].Peer = netip.MustParsePrefix("10.0.9.9/32")
	for name, c := range map[string]struct {
		of     []state.Address
		routes []state.Route
		dest   string
		want   string // "" for none
	}{
		"the first host":                 {addresses("10.0.0.1/24"), nil, dest4, "10.0.0.2"},
		"the first host that is another": {addresses("10.0.0.2/24"), nil, dest4, "10.0.0.1"},
		"not one of another interface":   {addresses("10.7.0.2/24"), nil, dest4, "10.7.0.3"},
		"not the destination":            {addresses("10.0.0.1/24"), nil, "10.0.0.2", "10.0.0.3"},
		"a network of two":               {addresses("10.0.0.1/31"), nil, dest4, "10.0.0.0"},
		"all addresses taken, another": {addresses("10.0.0.1/30", "10.0.0.2/30", "10.1.0.1/24"), nil, dest4,
			"10.1.0.2"},
		"the other end":                   {peer, nil, dest4, "10.0.9.9"},
		"the family of the destination":   {addresses("10.0.0.1/24", "fd00::1/64"), nil, dest6, "fd00::2"},
		"IPv6, its first address":         {addresses("fd00::9/64"), nil, dest6, "fd00::1"},
		"link-local addresses are no use": {addresses("fe80::1/64"), nil, dest6, ""},
		"a route, without an address": {nil,
			[]state.Route{via("unicast", "0.0.0.0/0", "y"), via("unicast", "10.8.0.0/16",
				"x"), via("unreachable", "10.9.0.0/16", "y"), via("unicast", "10.5.0.0/16", "y")}, dest4, "10.5.0.1"},
		"a route to one host": {addresses("10.0.0.1/32"), []state.Route{via("unicast", "10.5.0.5/32", "y")}, dest4,
			"10.5.0.5"},
		"a default route only": {nil, []state.Route{via("unicast", "0.0.0.0/0", "y")}, dest4, ""},
		"nothing":              {nil, nil, dest4, ""},
	} {
		n := &state.Namespace{Links: []state.Link{{Name: "x", Addresses: addresses("10.7.0.1/24")},
			{Name: "y", Addresses: c.of}}, Routes: c.routes}
		got := Sender(n, n.Link("y"), netip.MustParseAddr(c.dest))
		if got.IsValid() != (c.want != "") || got.IsValid() && got.String() != c.want {
			t.Errorf("%s: %v, want %q", name, got, c.want)
		}
	}
}
