package kernel

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// nftables adds a table of the family inet, by a batch as `nft` sends it.
func nftables(s *scratch) error {
	h, err := s.namespace()
	if err != nil {
		return err
	}
	return s.world.DoIn(h, func() error {
		fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_NETFILTER)
		if err != nil {
			return fmt.Errorf("open a netfilter socket: %w", err)
		}
		defer unix.Close(fd)
		if err := unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &unix.Timeval{Sec: 5}); err != nil {
			return fmt.Errorf("limit the wait: %w", err)
		}
		const add = unix.NFNL_SUBSYS_NFTABLES<<8 | unix.NFT_MSG_NEWTABLE
		batch := nfMessage(unix.NFNL_MSG_BATCH_BEGIN, 0, unix.AF_UNSPEC, unix.NFNL_SUBSYS_NFTABLES, 1)
		batch = append(batch, nfMessage(add, unix.NLM_F_ACK|unix.NLM_F_CREATE, unix.NFPROTO_INET, 0, 2,
			nl.NewRtAttr(unix.NFTA_TABLE_NAME, nl.ZeroTerminated("trial")))...)
		batch = append(batch, nfMessage(unix.NFNL_MSG_BATCH_END, 0, unix.AF_UNSPEC, unix.NFNL_SUBSYS_NFTABLES, 3)...)
		if err := unix.Sendto(fd, batch, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
			return fmt.Errorf("add an nftables table: %w", err)
		}
		return nfAnswer(fd)
	})
}

// nfMessage is a netlink message of netfilter: the family and the resource, in network order, stand before the attributes.
func nfMessage(kind, flags int, family byte, resource uint16, seq uint32, attrs ...*nl.RtAttr) []byte {
	request := nl.NewNetlinkRequest(kind, flags)
	request.Seq = seq
	body := []byte{family, unix.NFNETLINK_V0, 0, 0}
	binary.BigEndian.PutUint16(body[2:], resource)
	for _, a := range attrs {
		body = append(body, a.Serialize()...)
	}
	request.AddRawData(body)
	return request.Serialize()
}

// nfAnswer reads the acknowledgement. A kernel without nftables may answer EINVAL, for it does not know the subsystem.
func nfAnswer(fd int) error {
	buffer := make([]byte, 8192)
	n, _, err := unix.Recvfrom(fd, buffer, 0)
	if err != nil {
		return fmt.Errorf("add an nftables table: %w", err)
	}
	if n < unix.SizeofNlMsghdr+4 || binary.NativeEndian.Uint16(buffer[4:]) != unix.NLMSG_ERROR {
		return errors.New("add an nftables table: an answer that is no acknowledgement")
	}
	errno := unix.Errno(-int32(binary.NativeEndian.Uint32(buffer[unix.SizeofNlMsghdr:])))
	switch errno {
	case 0:
		return nil
	case unix.EINVAL:
		return findingError(absent("the kernel lacks nftables (%s)", describe(errno)))
	}
	return fmt.Errorf("add an nftables table: %w", errno)
}
