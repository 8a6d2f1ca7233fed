package capture

import (
	"encoding/binary"
	"fmt"
	"net"
	"os"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// socket receives the packets of all links of one namespace (packet(7)).
type socket struct {
	netns string
	inode uint64
	file  *os.File
	conn  syscall.RawConn
	took  func(s *socket, p packet, index int)
	names map[int]string // of the links, by index, since the last phase
	once  map[int]string // what they were called at some time
	done  sync.WaitGroup
	// Of one packet:
	data    [snapLength]byte
	control [256]byte
}

// room is how much the kernel is asked to hold for a socket, in bytes; it may hold less (net.core.rmem_max).
const room = 4 << 20

// open opens a socket in the namespace of the calling thread. It receives until it is closed.
func open(netns string, took func(s *socket, p packet, index int)) (*socket, error) {
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0) // nothing before bind
	if err != nil {
		return nil, os.NewSyscallError("socket", err)
	}
	s := &socket{netns: netns, file: os.NewFile(uintptr(fd), "packets of "+netns), took: took, names: map[int]string{},
		once: map[int]string{}}
	unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, room) // as much as it gives
	for _, option := range []struct{ level, name int }{
		{unix.SOL_SOCKET, unix.SO_TIMESTAMPNS}, {unix.SOL_PACKET, unix.PACKET_AUXDATA},
	} {
		if err := unix.SetsockoptInt(fd, option.level, option.name, 1); err != nil {
			s.file.Close()
			return nil, os.NewSyscallError("setsockopt", err)
		}
	}
	if err := unix.Bind(fd, &unix.SockaddrLinklayer{Protocol: bigEndian(unix.ETH_P_ALL)}); err != nil {
		s.file.Close()
		return nil, os.NewSyscallError("bind", err)
	}
	if s.conn, err = s.file.SyscallConn(); err != nil {
		s.file.Close()
		return nil, err
	}
	s.done.Go(func() {
		s.conn.Read(func(fd uintptr) bool { s.drain(int(fd)); return false }) // until close
	})
	return s, nil
}

// close takes what has come until now, and returns how many packets the kernel had no room for.
func (s *socket) close() (dropped int) {
	s.file.SetReadDeadline(time.Now())
	s.done.Wait()
	s.conn.Control(func(fd uintptr) {
		s.drain(int(fd))
		if told, err := unix.GetsockoptTpacketStats(int(fd), unix.SOL_PACKET, unix.PACKET_STATISTICS); err == nil {
			dropped = int(told.Drops)
		}
	})
	s.file.Close()
	return dropped
}

// drain takes the packets that are there.
func (s *socket) drain(fd int) {
	for {
		n, controls, _, from, err := unix.Recvmsg(fd, s.data[:], s.control[:], unix.MSG_TRUNC)
		switch sender, ok := from.(*unix.SockaddrLinklayer); {
		case err == unix.EINTR, err == unix.ENETDOWN: // the latter: a link went down
		case err != nil:
			return
		case !ok, sender.Hatype == unix.ARPHRD_LOOPBACK && sender.Pkttype == unix.PACKET_OUTGOING: // it comes in, too
		default:
			s.take(n, s.control[:controls], sender)
		}
	}
}

func (s *socket) take(length int, control []byte, from *unix.SockaddrLinklayer) {
	p := packet{at: time.Now(), length: length, data: s.data[:min(length, len(s.data))],
		out: from.Pkttype == unix.PACKET_OUTGOING}
	protocol := bigEndian(from.Protocol)
	p.link.form = formOf(from.Hatype, protocol)
	messages, _ := unix.ParseSocketControlMessage(control)
	for _, m := range messages {
		switch {
		case m.Header.Level == unix.SOL_SOCKET && m.Header.Type == unix.SCM_TIMESTAMPNS && len(m.Data) >= 16:
			p.at = time.Unix(int64(binary.NativeEndian.Uint64(m.Data)), int64(binary.NativeEndian.Uint64(m.Data[8:])))
		case m.Header.Level == unix.SOL_PACKET && m.Header.Type == unix.PACKET_AUXDATA && p.link.form == ethernet:
			p.tag(m.Data)
		}
	}
	if p.link.form == cooked {
		p.cook(from, protocol)
	}
	s.took(s, p, from.Ifindex)
}

// tag puts the tag of a VLAN back, which the kernel keeps beside the packet (struct tpacket_auxdata).
func (p *packet) tag(aux []byte) {
	const size = 20
	if len(aux) < size || len(p.data) < 12 {
		return
	}
	status := binary.NativeEndian.Uint32(aux)
	if status&unix.TP_STATUS_VLAN_VALID == 0 {
		return
	}
	tag := []byte{0x81, 0x00, 0, 0}
	if status&unix.TP_STATUS_VLAN_TPID_VALID != 0 {
		binary.BigEndian.PutUint16(tag, binary.NativeEndian.Uint16(aux[18:]))
	}
	binary.BigEndian.PutUint16(tag[2:], binary.NativeEndian.Uint16(aux[16:]))
	p.put(12, tag)
}

// put inserts bytes at a place.
func (p *packet) put(at int, more []byte) {
	p.data = append(append(append(make([]byte, 0, len(p.data)+len(more)), p.data[:at]...), more...), p.data[at:]...)
	p.length += len(more)
}

// nameOf is the name of a link, or what it was called when it was there.
func (s *socket) nameOf(index int) string {
	if name := s.names[index]; name != "" {
		return name
	}
	s.conn.Control(func(fd uintptr) {
		request, err := unix.NewIfreq("any")
		if err == nil {
			request.SetUint32(uint32(index))
			err = unix.IoctlIfreq(int(fd), unix.SIOCGIFNAME, request)
		}
		if err == nil {
			s.names[index], s.once[index] = request.Name(), request.Name()
		}
	})
	if name := s.once[index]; name != "" {
		return name
	}
	return fmt.Sprintf("link %d, which is gone", index)
}

// links are those of the namespace of the calling thread, which is the socket's.
func (s *socket) links() (links []link, err error) {
	all, err := net.Interfaces()
	if err != nil {
		return nil, err
	}
	for _, one := range all {
		request, err := unix.NewIfreq(one.Name)
		if err == nil {
			s.conn.Control(func(fd uintptr) { err = unix.IoctlIfreq(int(fd), unix.SIOCGIFHWADDR, request) })
		}
		if err != nil { // it is gone meanwhile
			continue
		}
		links = append(links, link{s.netns + "/" + one.Name, formOf(request.Uint16(), unix.ETH_P_IP)})
	}
	return links, nil
}

// bigEndian turns a number into the order of bytes that the network has, and back.
func bigEndian(n uint16) uint16 {
	var b [2]byte
	binary.BigEndian.PutUint16(b[:], n)
	return binary.NativeEndian.Uint16(b[:])
}
