package echo

import (
	"net/netip"
	"slices"
	"testing"

	"golang.org/x/net/icmp"
	"golang.org/x/net/ipv4"
	"golang.org/x/net/ipv6"
)

// header4 is an IPv4 header without options.
var header4 = append([]byte{0x45}, make([]byte, 19)...)

// TestRead reads packets that a raw socket receives, all ICMP messages of its namespace.
func TestRead(t *testing.T) {
	dest4, dest6, router := netip.MustParseAddr("10.0.0.2"), netip.MustParseAddr("2001:db8::2"),
		netip.MustParseAddr("10.0.0.1")
	four := func(m icmp.Message) []byte { return append(slices.Clone(header4), marshalled(t, m)...) }
	six := func(m icmp.Message) []byte { return marshalled(t, m) }
	quoted4 := append(slices.Clone(header4),
		marshalled(t, icmp.Message{Type: ipv4.ICMPTypeEcho, Body: &icmp.Echo{ID: 7, Seq: 1}})...)
	foreign := append(slices.Clone(header4),
		marshalled(t, icmp.Message{Type: ipv4.ICMPTypeEcho, Body: &icmp.Echo{ID: 8, Seq: 1}})...)
	quoted6 := append(make([]byte, ipv6Header),
		marshalled(t, icmp.Message{Type: ipv6.ICMPTypeEchoRequest, Body: &icmp.Echo{ID: 7, Seq: 1}})...)
	reply := func(kind icmp.Type, id, seq int, payload string) icmp.Message {
		return icmp.Message{Type: kind, Body: &icmp.Echo{ID: id, Seq: seq, Data: []byte(payload)}}
	}
	unreachable := icmp.Message{Type: ipv4.ICMPTypeDestinationUnreachable, Code: 1,
		Body: &icmp.DstUnreach{Data: quoted4}}
	for name, c := range map[string]struct {
		queue  bool
		dest   netip.Addr
		packet []byte
		from   netip.Addr
		want   icmp.Type // of an error; nil for a reply
		ours   bool
	}{
		"a reply": {false, dest4, four(reply(ipv4.ICMPTypeEchoReply, 7, 1, "payload")), dest4, nil,
			true},
		"a reply, IPv6": {false, dest6, six(reply(ipv6.ICMPTypeEchoReply, 7, 1, "payload")), dest6, nil,
			true},
		"a reply to somebody else": {false, dest4, four(reply(ipv4.ICMPTypeEchoReply, 8, 1, "payload")), dest4, nil,
			false},
		"a reply to nothing": {false, dest4, four(reply(ipv4.ICMPTypeEchoReply, 7, 2, "payload")), dest4, nil,
			false},
		"a reply that differs": {false, dest4, four(reply(ipv4.ICMPTypeEchoReply, 7, 1, "paylord")), dest4, nil,
			false},
		"a reply from elsewhere": {false, dest4, four(reply(ipv4.ICMPTypeEchoReply, 7, 1, "payload")), router, nil,
			false},
		"the request itself": {false, dest4, four(reply(ipv4.ICMPTypeEcho, 7, 1, "payload")), dest4, nil,
			false},
		"an error": {false, dest4, four(unreachable), router, ipv4.ICMPTypeDestinationUnreachable,
			true},
		"an error that is in queue": {true, dest4, four(unreachable), router, nil, false},
		"an error about others": {false, dest4,
			four(icmp.Message{Type: ipv4.ICMPTypeTimeExceeded, Body: &icmp.TimeExceeded{Data: foreign}}), router, nil,
			false},
		"an error that quotes little": {false, dest4,
			four(icmp.Message{Type: ipv4.ICMPTypeTimeExceeded, Body: &icmp.TimeExceeded{Data: header4}}), router, nil,
			false},
		"too big, IPv6": {false, dest6,
			six(icmp.Message{Type: ipv6.ICMPTypePacketTooBig, Body: &icmp.PacketTooBig{MTU: 1280, Data: quoted6}}),
			router, ipv6.ICMPTypePacketTooBig, true},
		"no ICMP":   {false, dest4, header4, dest4, nil, false},
		"no packet": {false, dest4, nil, netip.Addr{}, nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			s := socket(c.dest, c.queue)
			a, ours := s.read(c.packet, c.from)
			if ours != c.ours || a.Type != c.want || ours && (a.From != c.from || a.Seq != 1) {
				t.Errorf("%+v, ours %v; want %v of type %v", a, ours, c.ours, c.want)
			}
			if _, again := s.read(c.packet, c.from); c.ours && c.want == nil && again {
				t.Error("the same reply counts twice")
			}
		})
	}
}

// FuzzRead reads arbitrary packets.
func FuzzRead(f *testing.F) {
	f.Add(header4, true)
	f.Add([]byte{129, 0, 0, 0, 0, 7, 0, 1}, false)
	f.Fuzz(func(t *testing.T, packet []byte, four bool) {
		dest := netip.MustParseAddr("2001:db8::2")
		if four {
			dest = netip.MustParseAddr("10.0.0.2")
		}
		s := socket(dest, false)
		s.read(packet, dest)
		s.requestIn(packet)
		offender(packet)
	})
}

// socket waits for the answer to request 1.
func socket(dest netip.Addr, queue bool) *Socket {
	return &Socket{o: Options{Dest: dest, ErrorQueue: queue}, id: 7,
		waiting: map[int]request{1: {payload: []byte("payload")}}}
}

func marshalled(t *testing.T, m icmp.Message) []byte {
	t.Helper()
	b, err := m.Marshal(nil)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
