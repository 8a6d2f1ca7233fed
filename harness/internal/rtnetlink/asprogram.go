package rtnetlink

import (
	"encoding/binary"
	"fmt"
	"sync/atomic"
	"syscall"

	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// sendAsProgram sends a request through the lab's helper, as a program of the lab. The kernel accepts a rule with a
// uidrange only from a sender in the user namespace that owns the network namespace (fib_nl2rule,
// net/core/fib_rules.c).
func (s *session) sendAsProgram(m message) error {
	h := s.sockets[unix.NETLINK_ROUTE]
	m.Seq = atomic.AddUint32(&h.Seq, 1)
	if err := s.w.Send(h.Socket.GetFd(), m.Serialize()); err != nil {
		return err
	}
	for {
		msgs, from, err := h.Socket.Receive()
		if err != nil {
			return fmt.Errorf("receive the kernel's answer: %w", err)
		}
		for _, answer := range msgs {
			if from.Pid == nl.PidKernel && answer.Header.Seq == m.Seq && answer.Header.Type == unix.NLMSG_ERROR {
				return answered(acknowledged(answer))
			}
		}
	}
}

// acknowledged reads an acknowledgement: nil, or the errno with the extended acknowledgement's message (netlink(7),
// struct nlmsgerr).
func acknowledged(m syscall.NetlinkMessage) error {
	const errorSize, headerSize = 4, unix.SizeofNlMsghdr
	if len(m.Data) < errorSize+headerSize {
		return fmt.Errorf("receive the kernel's answer: %w", unix.EBADMSG)
	}
	code := int32(binary.NativeEndian.Uint32(m.Data))
	if code == 0 {
		return nil
	}
	errno := unix.Errno(-code)
	rest := m.Data[errorSize:]
	size := headerSize
	if m.Header.Flags&unix.NLM_F_CAPPED == 0 {
		size = int(binary.NativeEndian.Uint32(rest))
	}
	if m.Header.Flags&unix.NLM_F_ACK_TLVS == 0 || size > len(rest) {
		return errno
	}
	attributes, err := nl.ParseRouteAttr(rest[(size+3)&^3:])
	if err != nil {
		return errno
	}
	for _, a := range attributes {
		if a.Attr.Type == nl.NLMSGERR_ATTR_MSG {
			return fmt.Errorf("%w: %s", errno, unix.ByteSliceToString(a.Value))
		}
	}
	return errno
}
