package observe

import (
	"encoding/binary"
	"errors"
	"fmt"
	"sync"

	"golang.org/x/sys/unix"
)

var native = binary.NativeEndian

// conversation is a netlink socket with one request at a time. It belongs to the namespace in which it was opened, and
// keeps that alive: close it soon.
type conversation struct {
	fd  int
	seq uint32
}

// open opens a conversation in the namespace of the calling thread.
func open(protocol int) (*conversation, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, protocol)
	if err != nil {
		return nil, fmt.Errorf("open netlink socket: %w", err)
	}
	return &conversation{fd: fd}, nil
}

func (c *conversation) close() { unix.Close(c.fd) }

// errInterrupted is for a dump whose objects changed meanwhile (NLM_F_DUMP_INTR), and which may be inconsistent, and
// for an answer that was lost.
var errInterrupted = errors.New("changed while it was read, or the answer was lost")

// patience is how often a read is repeated because of concurrent changes.
const patience = 100

// buffers are larger than the largest part of a dump that the kernel sends (32 KiB).
var buffers = sync.Pool{New: func() any { return new([64 << 10]byte) }}

// ask sends one request and calls f with each answer; f must not retain the bytes. A question for one thing is asked
// again if the answer was lost.
func (c *conversation) ask(kind, flags uint16, body []byte, f func(body []byte)) (err error) {
	whole := func(body []byte) bool {
		f(body)
		return true
	}
	for range patience {
		if err = c.once(kind, flags, body, whole); flags != 0 || !errors.Is(err, errInterrupted) {
			return err
		}
	}
	return err
}

// once sends a request and reads the answer, until f wants no more of it. It does not wait: the kernel answers while
// the request is sent, and goes on with a dump while the part before is received (netlink_unicast and netlink_recvmsg
// in net/netlink/af_netlink.c). If nothing is there, the answer was dropped because the buffer was full. The kernel
// tells that by ENOBUFS, but not again before the buffer was empty (netlink_overrun); any root of the namespace can
// fill it.
func (c *conversation) once(kind, flags uint16, body []byte, f func(body []byte) (more bool)) error {
	c.seq++
	question := make([]byte, unix.NLMSG_HDRLEN, unix.NLMSG_HDRLEN+len(body))
	native.PutUint32(question[0:], uint32(unix.NLMSG_HDRLEN+len(body)))
	native.PutUint16(question[4:], kind)
	native.PutUint16(question[6:], flags|unix.NLM_F_REQUEST)
	native.PutUint32(question[8:], c.seq)
	if err := unix.Sendto(c.fd, append(question, body...), 0,
		&unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return err
	}
	buffer := buffers.Get().(*[64 << 10]byte)
	defer buffers.Put(buffer)
	interrupted := false
	for {
		n, from, err := unix.Recvfrom(c.fd, buffer[:], unix.MSG_TRUNC|unix.MSG_DONTWAIT)
		switch {
		case err == unix.EINTR:
			continue
		case err == unix.ENOBUFS, err == unix.EAGAIN: // messages were lost: to be repeated
			return errInterrupted
		case err != nil:
			return err
		case !fromKernel(from):
			continue
		case n > len(buffer):
			return fmt.Errorf("the answer of %d bytes is too long", n)
		}
		for part := buffer[:n]; len(part) >= unix.NLMSG_HDRLEN; {
			length := int(native.Uint32(part))
			if length < unix.NLMSG_HDRLEN || length > len(part) {
				return errors.New("the answer is truncated")
			}
			answer, header := part[unix.NLMSG_HDRLEN:length], part[:unix.NLMSG_HDRLEN]
			part = part[min(align(length), len(part)):]
			if native.Uint32(header[8:]) != c.seq {
				continue // of an earlier request that failed half-way
			}
			flagsOf := native.Uint16(header[6:])
			interrupted = interrupted || flagsOf&unix.NLM_F_DUMP_INTR != 0
			switch native.Uint16(header[4:]) {
			case unix.NLMSG_DONE, unix.NLMSG_ERROR:
				if len(answer) >= 4 {
					if errno := int32(native.Uint32(answer)); errno != 0 {
						return unix.Errno(-errno)
					}
				}
				if interrupted {
					return errInterrupted
				}
				return nil
			default:
				if !f(answer) {
					return nil
				}
			}
			if flags&unix.NLM_F_DUMP == 0 && flagsOf&unix.NLM_F_MULTI == 0 {
				return nil
			}
		}
	}
}

// fromKernel reports whether the kernel sent a message: with CAP_NET_ADMIN in a namespace, any process may send netlink
// messages to any socket in it (netlink(7)).
func fromKernel(sender unix.Sockaddr) bool {
	from, ok := sender.(*unix.SockaddrNetlink)
	return ok && from.Pid == 0
}

// dump requests all objects of a kind and parses each answer with parse, which reports whether it belongs to the
// result. It repeats interrupted dumps.
func dump[T any](c *conversation, kind uint16, question []byte, parse func(body []byte) (T, bool)) ([]T, error) {
	for range patience {
		var all []T
		err := c.ask(kind, unix.NLM_F_DUMP, question, func(body []byte) {
			if one, ok := parse(body); ok {
				all = append(all, one)
			}
		})
		if !errors.Is(err, errInterrupted) {
			return all, err
		}
	}
	return nil, errInterrupted
}

// some is dump for as many objects as most; more reports whether there are others. The conversation is good for nothing
// then but to be closed, since the kernel still waits for the rest to be read.
func some[T any](c *conversation, kind uint16, question []byte, most int, parse func(body []byte) (T, bool)) (all []T,
	more bool, err error) {
	err = c.once(kind, unix.NLM_F_DUMP, question, func(body []byte) bool {
		if one, ok := parse(body); ok {
			more = len(all) == most
			if !more {
				all = append(all, one)
			}
		}
		return !more
	})
	return all, more, err
}

// align is the next multiple of 4, at which netlink headers and attributes begin.
func align(n int) int { return (n + 3) &^ 3 }

// attribute appends a netlink attribute.
func attribute(to []byte, kind uint16, data []byte) []byte {
	to = native.AppendUint16(to, uint16(unix.SizeofRtAttr+len(data)))
	to = native.AppendUint16(to, kind)
	to = append(to, data...)
	return append(to, make([]byte, align(len(data))-len(data))...)
}

// attributes calls f with each attribute in b; kind is without the flags NLA_F_NESTED and NLA_F_NET_BYTEORDER.
func attributes(b []byte, f func(kind uint16, data []byte)) {
	const typeMask = 0x3fff
	for len(b) >= unix.SizeofRtAttr {
		length := int(native.Uint16(b))
		if length < unix.SizeofRtAttr || length > len(b) {
			return
		}
		f(native.Uint16(b[2:])&typeMask, b[unix.SizeofRtAttr:length])
		b = b[min(align(length), len(b)):]
	}
}

// number is an unsigned value of one, two, four or eight bytes in native byte order; 0 for any other length.
func number(data []byte) uint64 {
	switch len(data) {
	case 1:
		return uint64(data[0])
	case 2:
		return uint64(native.Uint16(data))
	case 4:
		return uint64(native.Uint32(data))
	case 8:
		return native.Uint64(data)
	}
	return 0
}

// text is a string with or without a terminating zero byte.
func text(data []byte) string {
	for i, b := range data {
		if b == 0 {
			return string(data[:i])
		}
	}
	return string(data)
}
