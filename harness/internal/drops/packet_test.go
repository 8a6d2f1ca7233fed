package drops

import (
	"encoding/hex"
	"net/netip"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// bytes reads hexadecimal digits.
func bytes(t *testing.T, digits string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(digits, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

const (
	// An IPv4 header from 10.1.0.2 to 10.2.0.2, and back; what is left out between them is the protocol.
	to4   = "4500 0054 0000 4000 40"
	ends4 = "0000 0a010002 0a020002"
	back4 = "0000 0a020002 0a010002"
	// IPv6 from fd00::1 to fd00::2.
	ends6 = "fd000000000000000000000000000001 fd000000000000000000000000000002"
	// IPv6 from no address to fd00::2.
	nobody6 = "00000000000000000000000000000000 fd000000000000000000000000000002"
)

var (
	a4, b4 = netip.MustParseAddr("10.1.0.2"), netip.MustParseAddr("10.2.0.2")
	a6, b6 = netip.MustParseAddr("fd00::1"), netip.MustParseAddr("fd00::2")
)

func TestDecode(t *testing.T) {
	const syn = "a000 0050 00000000 00000000 5002"
	const echo = "0800 0000 1234 0001"
	for name, c := range map[string]struct {
		ethertype uint16
		digits    string
		want      Packet
	}{
		"TCP": {unix.ETH_P_IP, to4 + "06" + ends4 + syn,
			Packet{Source: a4, Dest: b4, Protocol: 6, SourcePort: 0xa000, DestPort: 80}},
		"options": {unix.ETH_P_IP, "46" + to4[2:] + "06" + ends4 + "01010101" + syn,
			Packet{Source: a4, Dest: b4, Protocol: 6, SourcePort: 0xa000, DestPort: 80}},
		"echo": {unix.ETH_P_IP, to4 + "01" + ends4 + echo,
			Packet{Source: a4, Dest: b4, Protocol: 1, SourcePort: 0x1234, DestPort: 0x1234, Echo: true}},
		"a later fragment": {unix.ETH_P_IP, "4500 0054 0000 0010 40 01" + ends4 + echo,
			Packet{Source: a4, Dest: b4, Protocol: 1, Fragment: true}},
		"unreachable": {unix.ETH_P_IP, to4 + "01" + back4 + "0301 0000 00000000" + to4 + "06" + ends4 + syn,
			Packet{Source: b4, Dest: a4, Protocol: 1,
				About: &Packet{Source: a4, Dest: b4, Protocol: 6, SourcePort: 0xa000, DestPort: 80}}},
		"an error about an error": {unix.ETH_P_IP,
			to4 + "01" + back4 + "0301 0000 00000000" + to4 + "01" + ends4 + "0301 0000 00000000" + to4 + "06" + ends4,
			Packet{Source: b4, Dest: a4, Protocol: 1, About: &Packet{Source: a4, Dest: b4, Protocol: 1}}},
		"echo by IPv6": {unix.ETH_P_IPV6, "60000000 0040 3a 40" + ends6 + "8000 0000 1234 0001",
			Packet{Source: a6, Dest: b6, Protocol: 58, SourcePort: 0x1234, DestPort: 0x1234, Echo: true}},
		"too big by IPv6": {unix.ETH_P_IPV6,
			"60000000 0040 3a 40" + ends6 + "0200 0000 00000500 60000000 0040 3a 40" + ends6 + "8000 0000 1234 0001",
			Packet{Source: a6, Dest: b6, Protocol: 58, About: &Packet{Source: a6, Dest: b6, Protocol: 58,
				SourcePort: 0x1234, DestPort: 0x1234, Echo: true}}},
		"a router advertisement": {unix.ETH_P_IPV6, "60000000 0040 3a ff" + ends6 + "8600 0000 00000000",
			Packet{Source: a6, Dest: b6, Protocol: 58}},
		"a neighbour solicitation": {unix.ETH_P_IPV6, "60000000 0040 3a ff" + ends6 + "8700 0000 00000000",
			Packet{Source: a6, Dest: b6, Protocol: 58, Neighbour: true}},
		"duplicate address detection": {unix.ETH_P_IPV6, "60000000 0040 3a ff" + nobody6 + "8700 0000 00000000",
			Packet{Source: netip.IPv6Unspecified(), Dest: b6, Protocol: 58}},
		"ARP":                   {unix.ETH_P_ARP, "0001 0800 0604 0001", Packet{Neighbour: true}},
		"nothing":               {unix.ETH_P_IP, "", Packet{}},
		"a header that is cut":  {unix.ETH_P_IP, to4, Packet{}},
		"a length of no header": {unix.ETH_P_IP, "41" + to4[2:] + "06" + ends4, Packet{}},
		"no ports": {unix.ETH_P_IP, to4 + "06" + ends4 + "a000",
			Packet{Source: a4, Dest: b4, Protocol: 6}},
	} {
		t.Run(name, func(t *testing.T) {
			got, about, want := decode(c.ethertype, bytes(t, c.digits)), c.want.About, c.want
			if (got.About == nil) != (about == nil) || about != nil && *got.About != *about {
				t.Errorf("about %+v, want %+v", got.About, about)
			}
			if got.About, want.About = nil, nil; got != want {
				t.Errorf("%+v, want %+v", got, want)
			}
		})
	}
}

// TestFlow: of a flow is what goes between its ends, one of which may be translated, and errors about that.
func TestFlow(t *testing.T) {
	other := netip.MustParseAddr("10.3.0.1")
	connection := Flow{Protocol: 6, Target: b4, Own: []netip.Addr{a4}, Port: 80, OwnPort: 40000}
	echo := Flow{Protocol: 1, Target: b4, Own: []netip.Addr{a4}, Port: 7, OwnPort: 7}
	tcp := func(from netip.Addr, sport uint16, to netip.Addr, dport uint16) Packet {
		return Packet{Source: from, Dest: to, Protocol: 6, SourcePort: sport, DestPort: dport}
	}
	ping := func(from, to netip.Addr, id uint16) Packet {
		return Packet{Source: from, Dest: to, Protocol: 1, SourcePort: id, DestPort: id, Echo: true}
	}
	syn, mine := tcp(a4, 40000, b4, 80), ping(a4, b4, 7)
	for name, c := range map[string]struct {
		flow Flow
		p    Packet
		want bool
	}{
		"the request":                  {connection, syn, true},
		"the answer":                   {connection, tcp(b4, 80, a4, 40000), true},
		"another port":                 {connection, tcp(a4, 40000, b4, 81), false},
		"another connection":           {connection, tcp(a4, 40001, b4, 80), false},
		"from elsewhere":               {connection, tcp(other, 40000, other, 80), false},
		"the destination translated":   {connection, tcp(a4, 40000, other, 8080), true},
		"another one of that source":   {connection, tcp(a4, 40001, other, 8080), false},
		"the source translated":        {connection, tcp(other, 1234, b4, 80), true},
		"another one to that target":   {connection, tcp(other, 1234, b4, 22), false},
		"an echo is no connection":     {connection, mine, false},
		"an error about it":            {connection, Packet{Source: other, Dest: a4, Protocol: 1, About: &syn}, true},
		"an error about an echo":       {connection, Packet{Source: other, Dest: a4, Protocol: 1, About: &mine}, false},
		"the echo":                     {echo, mine, true},
		"its reply":                    {echo, ping(b4, a4, 7), true},
		"an echo of somebody else":     {echo, ping(a4, b4, 8), false},
		"an echo to somewhere else":    {echo, ping(a4, other, 8), false},
		"a fragment":                   {echo, Packet{Source: a4, Dest: b4, Protocol: 1, Fragment: true}, true},
		"another message of ICMP":      {echo, Packet{Source: a4, Dest: b4, Protocol: 1}, false},
		"a request for its neighbours": {echo, Packet{Neighbour: true}, false},
	} {
		if got := c.flow.Has(c.p); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
