package feed

import (
	"encoding/binary"
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

var native = binary.NativeEndian

// group is a multicast group of a netlink protocol.
type group struct {
	number int
	// since is the version of Linux that has it, if some of those that are supported lack it.
	since string
}

// groups are those of rtnetlink(7) that the feed hears.
var groups = []group{
	{number: unix.RTNLGRP_LINK},
	{number: unix.RTNLGRP_NEIGH},
	{number: unix.RTNLGRP_TC},
	{number: unix.RTNLGRP_IPV4_IFADDR}, {number: unix.RTNLGRP_IPV6_IFADDR},
	{number: unix.RTNLGRP_IPV4_ROUTE}, {number: unix.RTNLGRP_IPV6_ROUTE}, {number: unix.RTNLGRP_MPLS_ROUTE},
	{number: unix.RTNLGRP_IPV4_MROUTE}, {number: unix.RTNLGRP_IPV6_MROUTE},
	{number: unix.RTNLGRP_IPV4_RULE}, {number: unix.RTNLGRP_IPV6_RULE},
	{number: unix.RTNLGRP_IPV4_NETCONF}, {number: unix.RTNLGRP_IPV6_NETCONF}, {number: unix.RTNLGRP_MPLS_NETCONF},
	{number: unix.RTNLGRP_MDB},
	{number: unix.RTNLGRP_NSID},
	{number: unix.RTNLGRP_NEXTHOP},
	{number: unix.RTNLGRP_BRVLAN, since: "5.6"},
	{number: unix.RTNLGRP_IPV4_MCADDR, since: "6.14"}, {number: unix.RTNLGRP_IPV6_MCADDR, since: "6.14"},
}

// filterGroups are those of nfnetlink.
var filterGroups = []group{{number: unix.NFNLGRP_NFTABLES}}

// room is how many bytes of reports the kernel may keep for the feed, if it may be asked for so many.
const room = 8 << 20

// subscribe opens, on a thread in the observer's namespace, a socket that hears the groups in all namespaces for which
// the observer has an id. It does not block.
func subscribe(protocol int, groups []group) (fd int, err error) {
	fd, err = unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, protocol)
	if err != nil {
		return -1, fmt.Errorf("open a netlink socket: %w", err)
	}
	defer func() {
		if err != nil {
			unix.Close(fd)
		}
	}()
	if err := unix.SetsockoptInt(fd, unix.SOL_NETLINK, unix.NETLINK_LISTEN_ALL_NSID, 1); err != nil {
		return -1, fmt.Errorf("hear other namespaces (NETLINK_LISTEN_ALL_NSID): %w", err)
	}
	// Beyond net.core.rmem_max only for root of the machine: with less, reports are lost earlier, which is noticed.
	if unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, room) != nil {
		unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, room)
	}
	if err := unix.Bind(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return -1, fmt.Errorf("bind a netlink socket: %w", err)
	}
	for _, g := range groups {
		err := unix.SetsockoptInt(fd, unix.SOL_NETLINK, unix.NETLINK_ADD_MEMBERSHIP, g.number)
		if err != nil && !(g.since != "" && errors.Is(err, unix.EINVAL)) {
			return -1, fmt.Errorf("join the multicast group %d: %w", g.number, err)
		}
	}
	return fd, nil
}

// message is one netlink message.
type message struct {
	kind, flags uint16
	body        []byte // valid until the next one is received
}

// own is the id of messages of the observer's own namespace.
const own = -1

// receive receives one datagram and calls f with each message in it and the id of its namespace. The error is EAGAIN if
// there is none, ENOBUFS if some were lost.
func receive(fd int, buffer []byte, f func(id int, m message)) error {
	var control [64]byte
	n, controls, flags, from, err := unix.Recvmsg(fd, buffer, control[:], unix.MSG_DONTWAIT)
	if err != nil {
		return err
	}
	sender, ok := from.(*unix.SockaddrNetlink)
	if !ok || sender.Pid != 0 { // not of the kernel
		return nil
	}
	if flags&unix.MSG_TRUNC != 0 {
		return unix.ENOBUFS
	}
	id := namespaceOf(control[:controls])
	return messages(buffer[:n], func(m message) { f(id, m) })
}

// messages calls f with each message of a datagram. The error is ENOBUFS if it is cut off.
func messages(datagram []byte, f func(message)) error {
	for part := datagram; len(part) >= unix.NLMSG_HDRLEN; {
		length := int(native.Uint32(part))
		if length < unix.NLMSG_HDRLEN || length > len(part) {
			return unix.ENOBUFS
		}
		f(message{native.Uint16(part[4:]), native.Uint16(part[6:]), part[unix.NLMSG_HDRLEN:length]})
		part = part[min(align(length), len(part)):]
	}
	return nil
}

// namespaceOf is the id of the namespace of a datagram by its control messages; own if there is none.
func namespaceOf(control []byte) int {
	for len(control) >= unix.CmsgLen(4) {
		header := int(native.Uint64(control))
		if unix.SizeofPtr == 4 {
			header = int(native.Uint32(control))
		}
		level := int(int32(native.Uint32(control[unix.SizeofPtr:])))
		kind := int(int32(native.Uint32(control[unix.SizeofPtr+4:])))
		if level == unix.SOL_NETLINK && kind == unix.NETLINK_LISTEN_ALL_NSID && header >= unix.CmsgLen(4) {
			return int(int32(native.Uint32(control[unix.CmsgLen(0):])))
		}
		if header < unix.CmsgLen(0) || header > len(control) {
			break
		}
		control = control[min(unix.CmsgSpace(header-unix.CmsgLen(0)), len(control)):]
	}
	return own
}

// align is the next multiple of 4, at which netlink messages and attributes begin.
func align(n int) int { return (n + 3) &^ 3 }

// attribute returns the data of the first attribute of this kind.
func attribute(b []byte, kind uint16) ([]byte, bool) {
	for len(b) >= unix.SizeofRtAttr {
		length := int(native.Uint16(b))
		if length < unix.SizeofRtAttr || length > len(b) {
			return nil, false
		}
		if native.Uint16(b[2:]) == kind {
			return b[unix.SizeofRtAttr:length], true
		}
		b = b[min(align(length), len(b)):]
	}
	return nil, false
}
