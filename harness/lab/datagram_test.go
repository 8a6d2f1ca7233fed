package lab_test

import (
	"net"
	"testing"

	"golang.org/x/net/dns/dnsmessage"

	"netnscheck/harness/scenario"
)

// TestDatagrams: servers that answer only what they understand answer the harness's datagrams, DNS on port 53 and a
// line on any other. A server that has gone is a closed port, and an answer from another address is none.
func TestDatagrams(t *testing.T) {
	l := started(t, append(cable, "ip -n testns addr add 10.0.0.22/24 dev t0")...)
	understood := map[string]func([]byte) bool{
		":53": func(b []byte) bool {
			var m dnsmessage.Message
			return m.Unpack(b) == nil && len(m.Questions) == 1 && m.Questions[0].Name.String() == "." &&
				m.Questions[0].Type == dnsmessage.TypeNS && m.RecursionDesired && !m.Response
		},
		":7": func(b []byte) bool { return string(b) == "netnscheck\n" },
	}
	servers := map[string]net.PacketConn{}
	for address, understands := range understood {
		err := l.Go("testns", func() (err error) {
			servers[address], err = net.ListenPacket("udp4", address)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		go func(server net.PacketConn) {
			b := make([]byte, 1500)
			for {
				n, from, err := server.ReadFrom(b)
				if err != nil {
					return
				}
				if understands(b[:n]) {
					server.WriteTo(b[:n], from)
				}
			}
		}(servers[address])
	}
	const dns, line = "`host` hears an answer from `10.0.0.2` on UDP port `53`",
		"`host` hears an answer from `10.0.0.2` on UDP port `7`"
	awaitAll(t.Context(), t, l, dns, line,
		"`host` hears no answer from `10.0.0.22` on UDP port `7` (`silence`)") // they answer from 10.0.0.2
	for _, server := range servers {
		server.Close()
	}
	for _, text := range []string{dns, line} {
		v := l.Evaluate(t.Context(), claimOf(t, text), nil)
		if v.Outcome != scenario.Fail || v.Found != "port unreachable from 10.0.0.2" {
			t.Errorf("%s, without a server: %s, found %s %s", text, v.Outcome, v.Found, v.Reason)
		}
	}
}
