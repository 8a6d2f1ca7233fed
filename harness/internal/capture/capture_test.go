package capture

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"
	"golang.org/x/sys/unix"

	"netnscheck/harness/internal/kernel"
	"netnscheck/harness/internal/netns"
	"netnscheck/harness/internal/program"
	"netnscheck/harness/internal/sandbox"
)

func TestMain(m *testing.M) { os.Exit(sandbox.TestMain(m)) }

// lab is a World in which a test runs lines of the shell.
type lab struct {
	testing.TB
	w *netns.World
}

func newLab(t testing.TB, names ...string) lab {
	t.Helper()
	for _, p := range []string{"ip", "ping"} {
		if _, err := program.LookPath(p); err != nil {
			sandbox.Lacking(t, program.NotInstalled(p))
		}
	}
	w, err := netns.New(netns.Options{Ahead: len(names)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	})
	if _, err := w.AddAll(names...); err != nil {
		t.Fatal(err)
	}
	return lab{t, w}
}

func (l lab) run(line string) {
	l.Helper()
	read, write, err := os.Pipe()
	if err != nil {
		l.Fatal(err)
	}
	defer read.Close()
	running, err := l.w.Start(netns.Program{Path: "/bin/sh", Args: []string{"sh", "-ec", line + " 2>&1"}, Output: write,
		Env: []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}})
	write.Close()
	if err != nil {
		l.Fatal(err)
	}
	text, _ := io.ReadAll(read)
	if status, err := running.Wait(); err != nil || status != 0 {
		l.Fatalf("%s: status %d, %v: %s", line, status, err, text)
	}
}

func (l lab) start(what string) *Capture {
	l.Helper()
	c, err := Start(l.w, what)
	if err != nil {
		l.Fatal(err)
	}
	return c
}

// seen is a packet as a reader of the file sees it: `a/eth0 out ICMPv4 EchoRequest: during …`.
type seen struct {
	link, what, during string
	out                bool
	length             int
}

func (s seen) String() string {
	direction := "in"
	if s.out {
		direction = "out"
	}
	return strings.Join([]string{s.link, direction, s.what}, " ")
}

// read reads a file with the reader of another project.
func read(t testing.TB, file []byte) (links []string, packets []seen) {
	t.Helper()
	r, err := pcapgo.NewNgReader(bytes.NewReader(file), pcapgo.NgReaderOptions{WantMixedLinkType: true})
	if err != nil {
		t.Fatal(err)
	}
	last := int64(0)
	for {
		data, ci, options, err := r.ReadPacketDataWithOptions()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		on, err := r.Interface(ci.InterfaceIndex)
		if err != nil {
			t.Fatal(err)
		}
		p := seen{link: on.Name, length: ci.Length, during: strings.Join(options.Comments, "|"),
			out: options.Flags != nil && options.Flags.Direction == pcapgo.NgEpbFlagDirectionOutbound}
		p.what = kindOf(gopacket.NewPacket(data, on.LinkType, gopacket.Default))
		packets = append(packets, p)
		if now := ci.Timestamp.UnixNano(); now < last {
			t.Errorf("%v came before the packet before it", p)
		} else {
			last = now
		}
	}
	for i := range r.NInterfaces() {
		on, err := r.Interface(i)
		if err != nil {
			t.Fatal(err)
		}
		links = append(links, on.Name)
	}
	return links, packets
}

// kindOf names the layers of a packet, and what tells apart those of a ping.
func kindOf(p gopacket.Packet) string {
	var names []string
	for _, layer := range p.Layers() {
		switch layer := layer.(type) {
		case *layers.ARP:
			names = append(names, fmt.Sprintf("ARP %d", layer.Operation))
		case *layers.ICMPv4:
			names = append(names, layer.TypeCode.String())
		case *layers.Dot1Q:
			names = append(names, fmt.Sprintf("VLAN %d", layer.VLANIdentifier))
		case gopacket.Payload, *gopacket.Payload:
		default:
			names = append(names, layer.LayerType().String())
		}
	}
	return strings.Join(names, " ")
}

// stop ends the recording and returns its packets, without those that the kernel sends by itself over IPv6.
func stop(t testing.TB, c *Capture) (links []string, packets []seen, remarks []string) {
	t.Helper()
	r, err := c.Stop()
	if err != nil {
		t.Fatal(err)
	}
	links, packets = read(t, r.PCAPNG)
	packets = slices.DeleteFunc(packets, func(p seen) bool { return strings.Contains(p.what, "IPv6") })
	checkWithTshark(t, r.PCAPNG)
	return links, packets, r.Remarks
}

// checkWithTshark has another program read the file, if it is installed.
func checkWithTshark(t testing.TB, file []byte) {
	t.Helper()
	tshark, err := exec.LookPath("tshark")
	if err != nil {
		return
	}
	path := filepath.Join(t.TempDir(), "packets.pcapng")
	if err := os.WriteFile(path, file, 0o600); err != nil {
		t.Fatal(err)
	}
	if output, err := exec.Command(tshark, "-n", "-r", path).CombinedOutput(); err != nil {
		t.Errorf("tshark: %v\n%s", err, output)
	}
}

func expect(t testing.TB, packets []seen, want ...string) {
	t.Helper()
	var got []string
	for _, p := range packets {
		got = append(got, p.String())
	}
	for _, w := range want {
		if !slices.Contains(got, w) {
			t.Errorf("no %s in\n%s", w, strings.Join(got, "\n"))
		}
	}
}

const pair = "ip link add eth0 netns a type veth peer name eth0 netns b; " +
	"for n in a b; do ip -n $n link set lo up; ip -n $n link set eth0 up; done; " +
	"ip -n a address add 10.0.0.1/24 dev eth0; ip -n b address add 10.0.0.2/24 dev eth0"

// TestPing: the request, the reply and the questions before them, at both ends.
func TestPing(t *testing.T) {
	l := newLab(t, "a", "b")
	l.run(pair)
	c := l.start("before")
	c.During("during the ping")
	l.run("ip netns exec a ping -c 1 -W 20 10.0.0.2")
	c.During("after it")
	links, packets, remarks := stop(t, c)
	want := []string{"a/eth0", "a/lo", "b/eth0", "b/lo", "host/lo"}
	if got := slices.DeleteFunc(links, fallback); !slices.Equal(got, want) {
		t.Errorf("the links are %q", got)
	}
	const request, reply = "Ethernet IPv4 EchoRequest", "Ethernet IPv4 EchoReply"
	expect(t, packets, "a/eth0 out Ethernet ARP 1", "b/eth0 in Ethernet ARP 1", "b/eth0 out Ethernet ARP 2",
		"a/eth0 in Ethernet ARP 2", "a/eth0 out "+request, "b/eth0 in "+request, "b/eth0 out "+reply, "a/eth0 in "+reply)
	for _, p := range packets {
		if strings.Contains(p.what, "Echo") && (p.during != "during the ping" || p.length != 98) {
			t.Errorf("%v: %q, %d bytes", p, p.during, p.length)
		}
	}
	if len(remarks) > 0 {
		t.Errorf("%q", remarks)
	}
}

// fallback reports whether a link is one of those that a module puts into every namespace.
func fallback(name string) bool {
	return slices.Contains([]string{"tunl0", "gre0", "gretap0", "erspan0", "sit0", "ip6tnl0", "ip6gre0", "ip_vti0",
		"ip6_vti0"}, name[strings.LastIndexByte(name, '/')+1:])
}

// TestVLAN: a tag that the kernel keeps beside the packet is in the file.
func TestVLAN(t *testing.T) {
	if lacking, err := kernel.Require(t.Context(), "vlan"); err != nil || lacking != nil {
		t.Skip(lacking, err)
	}
	l := newLab(t, "a", "b")
	l.run(pair + "; for n in a b; do ip -n $n link add link eth0 name v7 type vlan id 7; ip -n $n link set v7 up; " +
		"done; ip -n a address add 10.7.0.1/24 dev v7; ip -n b address add 10.7.0.2/24 dev v7")
	c := l.start("during the ping")
	l.run("ip netns exec a ping -c 1 -W 20 10.7.0.2")
	_, packets, _ := stop(t, c)
	expect(t, packets, "a/v7 out Ethernet IPv4 EchoRequest", "a/eth0 out Ethernet VLAN 7 IPv4 EchoRequest",
		"b/eth0 in Ethernet VLAN 7 IPv4 EchoRequest", "b/v7 in Ethernet IPv4 EchoRequest")
}

// TestLoopback: what goes over lo is told once.
func TestLoopback(t *testing.T) {
	l := newLab(t)
	c := l.start("during the ping")
	l.run("ping -c 1 -W 20 127.0.0.1")
	_, packets, _ := stop(t, c)
	expect(t, packets, "host/lo in Ethernet IPv4 EchoRequest", "host/lo in Ethernet IPv4 EchoReply")
	if len(packets) != 2 {
		t.Errorf("%v", packets)
	}
}

// TestTun: packets of a link without a header of its own.
func TestTun(t *testing.T) {
	l := newLab(t, "a")
	var tun int
	err := l.w.Do("a", func() (err error) {
		if tun, err = unix.Open("/dev/net/tun", unix.O_RDWR|unix.O_CLOEXEC, 0); err != nil {
			return err
		}
		request, err := unix.NewIfreq("tun0")
		if err != nil {
			return err
		}
		request.SetUint16(unix.IFF_TUN | unix.IFF_NO_PI)
		return unix.IoctlIfreq(tun, unix.TUNSETIFF, request)
	})
	if err != nil {
		t.Skipf("the device for tun interfaces is out of reach here: %v", err)
	}
	defer unix.Close(tun)
	l.run("ip -n a link set tun0 up; ip -n a address add 10.8.0.1/24 dev tun0")
	c := l.start("during the ping")
	answered := make(chan error, 1)
	go func() { answered <- echo(tun) }()
	l.run("ip netns exec a ping -c 1 -W 20 10.8.0.2")
	if err := <-answered; err != nil {
		t.Fatal(err)
	}
	_, packets, _ := stop(t, c)
	expect(t, packets, "a/tun0 out IPv4 EchoRequest", "a/tun0 in IPv4 EchoReply")
}

// echo answers the first request that leaves by a tun.
func echo(tun int) error {
	buffer := make([]byte, 2048)
	for {
		n, err := unix.Read(tun, buffer)
		if err != nil {
			return err
		}
		p := gopacket.NewPacket(buffer[:n], layers.LayerTypeIPv4, gopacket.Default)
		ip, _ := p.Layer(layers.LayerTypeIPv4).(*layers.IPv4)
		icmp, _ := p.Layer(layers.LayerTypeICMPv4).(*layers.ICMPv4)
		if ip == nil || icmp == nil {
			continue
		}
		ip.SrcIP, ip.DstIP, ip.Checksum = ip.DstIP, ip.SrcIP, 0
		icmp.TypeCode = layers.CreateICMPv4TypeCode(layers.ICMPv4TypeEchoReply, 0)
		out := gopacket.NewSerializeBuffer()
		err = gopacket.SerializeLayers(out, gopacket.SerializeOptions{ComputeChecksums: true}, ip, icmp,
			gopacket.Payload(icmp.Payload))
		if err == nil {
			_, err = unix.Write(tun, out.Bytes())
		}
		return err
	}
}

// TestNewNamespaces: one that is made meanwhile is joined, and one that is deleted may go.
func TestNewNamespaces(t *testing.T) {
	l := newLab(t, "a")
	l.run("ip link add va type veth peer name eth0 netns a")
	c := l.start("at first")
	l.run("ip netns add late; ip -n late link set lo up; ip link add vl type veth peer name eth0 netns late")
	c.During("then")
	l.run("ip netns exec late ping -c 1 -W 20 127.0.0.1")
	l.run("ip netns del a; ip netns del late")
	c.During("at last")
	l.run("while ip link show va || ip link show vl; do :; done") // with a socket in it, it would stay
	links, packets, remarks := stop(t, c)
	expect(t, packets, "late/lo in Ethernet IPv4 EchoRequest", "late/lo in Ethernet IPv4 EchoReply")
	if slices.Contains(links, "a/lo") || !slices.Contains(links, "late/lo") || len(remarks) > 0 {
		t.Errorf("%q, %q", links, remarks)
	}
}

// TestBounds: packets that are too long are cut, and too many left out, and both are told.
func TestBounds(t *testing.T) {
	l := newLab(t)
	c := l.start("a flood")
	const packets, size = 1000, 8 << 10
	err := l.w.Do(netns.Host, func() error {
		from, err := net.ListenPacket("udp4", "127.0.0.1:0")
		if err != nil {
			return err
		}
		defer from.Close()
		for range packets {
			if _, err := from.WriteTo(make([]byte, size), from.LocalAddr()); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	r, err := c.Stop()
	if err != nil {
		t.Fatal(err)
	}
	_, got := read(t, r.PCAPNG)
	told := strings.Join(r.Remarks, "\n")
	if len(r.PCAPNG) > mostBytes+16<<10 || len(got) == 0 || got[0].length != size+42 ||
		!strings.Contains(told, "cut to 2048 bytes") {
		t.Errorf("%d bytes, %d packets: %s", len(r.PCAPNG), len(got), told)
	}
	if len(got) < packets && !strings.Contains(told, "left out") && !strings.Contains(told, "dropped in namespace host") {
		t.Errorf("of %d packets %d are there: %s", packets, len(got), told)
	}
	if !bytes.Contains(r.PCAPNG, []byte(r.Remarks[0])) {
		t.Error("the file itself does not say what is missing")
	}
}

// TestTag: where the tag of a VLAN stands in a packet, and what is no tag.
func TestTag(t *testing.T) {
	aux := func(status uint32, tci, protocol uint16) []byte {
		b := make([]byte, 20)
		binary.NativeEndian.PutUint32(b, status)
		binary.NativeEndian.PutUint16(b[16:], tci)
		binary.NativeEndian.PutUint16(b[18:], protocol)
		return b
	}
	for _, c := range []struct {
		aux  []byte
		want string
	}{
		{aux(unix.TP_STATUS_VLAN_VALID|unix.TP_STATUS_VLAN_TPID_VALID, 7, 0x88a8), "tototofrfrfr\x88\xa8\x00\x07\x08\x00"},
		{aux(unix.TP_STATUS_VLAN_VALID, 0x2007, 0), "tototofrfrfr\x81\x00\x20\x07\x08\x00"},
		{aux(0, 7, 0x8100), "tototofrfrfr\x08\x00"},
		{aux(unix.TP_STATUS_VLAN_VALID, 7, 0)[:19], "tototofrfrfr\x08\x00"},
	} {
		p := packet{data: []byte("tototofrfrfr\x08\x00"), length: 14}
		if p.tag(c.aux); string(p.data) != c.want || p.length != len(c.want) {
			t.Errorf("%d: %q, not %q", p.length, p.data, c.want)
		}
	}
}

func TestForms(t *testing.T) {
	for _, c := range []struct {
		linkType, protocol uint16
		want               form
	}{
		{unix.ARPHRD_ETHER, unix.ETH_P_ARP, ethernet}, {unix.ARPHRD_LOOPBACK, unix.ETH_P_IP, ethernet},
		{unix.ARPHRD_NONE, unix.ETH_P_IP, plain}, {unix.ARPHRD_SIT, unix.ETH_P_IPV6, plain},
		{unix.ARPHRD_IPGRE, unix.ETH_P_IP, plain}, {unix.ARPHRD_NONE, unix.ETH_P_MPLS_UC, cooked},
		{unix.ARPHRD_NETLINK, 0, cooked}, {unix.ARPHRD_CAN, unix.ETH_P_CAN, cooked},
	} {
		if got := formOf(c.linkType, c.protocol); got != c.want {
			t.Errorf("type %d, protocol %#x: %v, not %v", c.linkType, c.protocol, got, c.want)
		}
	}
	p := packet{data: []byte("label"), length: 5}
	p.cook(&unix.SockaddrLinklayer{Pkttype: 4, Hatype: 0xfffe, Halen: 2, Addr: [8]byte{1, 2}}, unix.ETH_P_MPLS_UC)
	if want := "\x00\x04\xff\xfe\x00\x02\x01\x02\x00\x00\x00\x00\x00\x00\x88\x47label"; string(p.data) != want ||
		p.length != 21 {
		t.Errorf("%d: %q", p.length, p.data)
	}
}
