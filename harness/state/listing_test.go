package state_test

import (
	"net/netip"
	"testing"

	"netnscheck/harness/state"
)

func TestListing(t *testing.T) {
	s := &state.State{Namespaces: []state.Namespace{
		{Name: "host", Links: []state.Link{{Index: 1, Name: "lo", Kind: "loopback", MTU: 65536, OperState: "down",
			MAC: "00:00:00:00:00:00", Broadcast: "00:00:00:00:00:00"}}},
		{Name: "a", OtherNames: []string{"b"}, Unread: []string{"rules: no"}, Links: []state.Link{
			{Index: 2, Name: "va", Kind: "veth", Up: true, Carrier: true, MTU: 1500, OperState: "up",
				MAC: "02:00:00:00:00:01", Broadcast: "ff:ff:ff:ff:ff:ff", Addresses: []state.Address{{
					Prefix: netip.MustParsePrefix("10.0.0.1/24"), Scope: "global", ValidLft: state.Forever}}},
			{Index: 3, Name: "tunl0", Kind: "ipip", MTU: 1480, OperState: "down", MAC: "0.0.0.0"},
		}, Routes: []state.Route{{Family: 4, Type: "unicast", To: netip.MustParsePrefix("10.0.0.0/24"),
			Table: state.TableMain, Proto: "kernel", Scope: "link", Nexthops: []state.Nexthop{{Dev: "va"}}}},
			Neighbours: []state.Neighbour{{Addr: netip.MustParseAddr("10.0.0.2"), Dev: "va", State: "failed"}},
		},
	}}
	const want = `namespace host
  ip address:
    1: lo: <LOOPBACK,MULTICAST> mtu 65536 state DOWN group default
        link/loopback 00:00:00:00:00:00 brd 00:00:00:00:00:00

namespace a, b
  ip address:
    2: va: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 state UP group default
        link/ether 02:00:00:00:00:01 brd ff:ff:ff:ff:ff:ff
        inet 10.0.0.1/24 scope global
    3: tunl0: <MULTICAST> mtu 1480 state DOWN group default
        link/ipip 0.0.0.0
  ip route show table all:
    10.0.0.0/24 dev va proto kernel scope link
  ip neighbour:
    10.0.0.2 dev va FAILED
  not read: rules: no
`
	if got := state.Listing(s); got != want {
		t.Errorf("got\n%s", got)
	}
}
