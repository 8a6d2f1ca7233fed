package lab_test

import (
	"encoding/binary"
	"net"
	"strings"
	"testing"

	"netnscheck/harness/lab"
	"netnscheck/harness/scenario"
)

// judge evaluates sentences. Each holds if its value is "", and else is false with that finding.
func judge(t *testing.T, l *lab.Lab, findings map[string]string) {
	t.Helper()
	for sentence, want := range findings {
		v := l.Evaluate(t.Context(), claimOf(t, sentence), nil)
		if v.Outcome == scenario.Error || (v.Outcome == scenario.Pass) != (want == "") || want != "" &&
			v.Found != want {
			t.Errorf("%s: %s, found %q %s; want %q", sentence, v.Outcome, v.Found, v.Reason, want)
		}
	}
}

// TestResolves: names of the files of a namespace, which others do not have.
func TestResolves(t *testing.T) {
	l := started(t, "ip netns add a", "ip netns add b", "ip -n a link set lo up", "ip -n b link set lo up",
		"ip -n a addr add 10.0.0.1/24 dev lo")
	if err := l.Do(t.Context(), lab.Netlink(), `sh -c 'mkdir -p /etc/netns/a && echo "10.0.0.2 web.lab
10.0.0.3 web.lab
fd00::2 six.lab" >/etc/netns/a/hosts && getent --version'`); err != nil {
		lackingProgram(t, err)
	}
	judge(t, l, map[string]string{
		"`a` resolves `web.lab` to `10.0.0.2`":       "",
		"`a` resolves `web.lab` to `10.0.0.3`":       "",
		"`a` resolves `six.lab` to `fd00::2`":        "", // though a has no IPv6 address but ::1
		"`a` resolves `web.lab` to `10.0.0.4`":       "it resolves to 10.0.0.2, 10.0.0.3",
		"`a` does not resolve `web.lab`":             "it resolves to 10.0.0.2, 10.0.0.3",
		"`a` does not resolve `wbe.lab`":             "",
		"`a` resolves `wbe.lab` to `10.0.0.2`":       "getent finds no address",
		"`b` does not resolve `web.lab`":             "",
		"`b` resolves `web.lab` to `10.0.0.2`":       "getent finds no address",
		"`nowhere` does not resolve `web.lab`":       "there is no namespace nowhere",
		"`nowhere` resolves `web.lab` to `10.0.0.2`": "there is no namespace nowhere",
	})
}

// TestResolvesByServer: a server inside the namespace knows one name with an address of each family. It is asked there
// alone, and no answer is no address.
func TestResolvesByServer(t *testing.T) {
	l := started(t, "ip netns add a", "ip netns add b", "ip -n a link set lo up", "ip -n b link set lo up")
	if err := l.Do(t.Context(), lab.Netlink(),
		"sh -c 'mkdir -p /etc/netns/a /etc/netns/b && echo nameserver 127.0.0.1 | "+
			"tee /etc/netns/a/resolv.conf >/etc/netns/b/resolv.conf && getent --version'"); err != nil {
		lackingProgram(t, err)
	}
	var server net.PacketConn
	if err := l.Go("a", func() (err error) {
		server, err = net.ListenPacket("udp4", "127.0.0.1:53")
		return err
	}); err != nil {
		t.Fatal(err)
	}
	go answerNames(server, "web.lab", net.IPv4(10, 0, 0, 2), net.ParseIP("fd00::2"))
	judge(t, l, map[string]string{
		"`a` resolves `web.lab` to `10.0.0.2`": "",
		"`a` resolves `web.lab` to `fd00::2`":  "",
		"`a` does not resolve `dns.lab`":       "",
		"`a` resolves `dns.lab` to `10.0.0.2`": "getent finds no address",
		"`b` does not resolve `web.lab`":       "",
	})
	server.Close()
	judge(t, l, map[string]string{"`a` does not resolve `web.lab`": ""})
}

// answerNames answers questions for the addresses of one name (RFC 1035, 4.1); there is no other name.
func answerNames(server net.PacketConn, name string, v4, v6 net.IP) {
	var wire []byte
	for _, label := range strings.Split(name, ".") {
		wire = append(append(wire, byte(len(label))), label...)
	}
	wire = append(wire, 0)
	buffer := make([]byte, 512)
	for {
		n, from, err := server.ReadFrom(buffer)
		if err != nil {
			return
		}
		if n < 12 {
			continue
		}
		end := 12 + strings.IndexByte(string(buffer[12:n]), 0) + 1 + 4
		if end > n {
			continue
		}
		question := buffer[12:end]
		const response, nameError = 0x8180, 3
		answer := append([]byte{}, buffer[:2]...)
		flags, count, address := uint16(response|nameError), uint16(0), []byte(nil)
		if strings.EqualFold(string(question[:len(question)-4]), string(wire)) {
			flags = response
			switch kind := binary.BigEndian.Uint16(question[len(question)-4:]); kind {
			case 1:
				address = v4.To4()
			case 28:
				address = v6
			}
		}
		if address != nil {
			count = 1
		}
		for _, field := range []uint16{flags, 1, count, 0, 0} {
			answer = binary.BigEndian.AppendUint16(answer, field)
		}
		answer = append(answer, question...)
		if address != nil {
			answer = append(answer, 0xc0, 12) // the name of the question
			answer = append(answer, question[len(question)-4:]...)
			answer = append(answer, 0, 0, 0, 0, 0, byte(len(address)))
			answer = append(answer, address...)
		}
		server.WriteTo(answer, from)
	}
}

// TestPrints judges the output of programs in two namespaces.
func TestPrints(t *testing.T) {
	l := started(t, "ip netns add a", "ip netns add b")
	do(t, l, "ip -n a link set lo up")
	judge(t, l, map[string]string{
		"the command `cat /proc/net/dev` in `b` prints `lo: ...`":             "",
		"the command `printf 'one  1\\n two 2\\n'` in `a` prints `one 1`":     "",
		"the command `printf 'one  1\\n two 2\\n'` in `a` prints `two  ...`":  "",
		"the command `printf 'one  1\\n two 2\\n'` in `a` prints `one ... 2`": `it prints "one 1", "two 2"`,
		"the command `printf 'one  1\\n two 2\\n'` in `a` prints `one`":       `it prints "one 1", "two 2"`,
		"the command `printf '\\n \\n'` in `a` prints nothing":                "",
		"the command `printf '\\n \\n'` in `a` prints `...`":                  "it prints nothing",
		"the command `cat` in `a` prints nothing":                             "",
		"the command `false` in `a` prints nothing":                           "",
		"the command `sh -c 'echo no >&2; exit 3'` in `a` prints `no`":        "",
		"the command `sh -c 'echo no >&2; exit 3'` in `a` prints nothing":     `it prints "no" (exit status 3)`,
		"the command `seq 12` in `a` prints nothing": `it prints "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", ` +
			"and 2 more lines",
		"the command `seq 12` in `nowhere` prints nothing": "there is no namespace nowhere",
		"the command `seq 12` in `nowhere` prints `12`":    "there is no namespace nowhere",
	})
	for sentence, want := range map[string]string{
		"the command `no-such-program` in `a` prints nothing": "no-such-program",
	} {
		if v := l.Evaluate(t.Context(), claimOf(t, sentence), nil); v.Outcome != scenario.Error ||
			!strings.Contains(v.Reason, want) {
			t.Errorf("%s: %s, %q", sentence, v.Outcome, v.Reason)
		}
	}
}
