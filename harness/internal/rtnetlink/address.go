package rtnetlink

import (
	"encoding/binary"
	"net/netip"

	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"

	"netnscheck/harness/scenario/operation"
)

// changeAddress is `ip address add|change|replace|del`. Without a device the request has index 0, which the kernel
// refuses.
func (s *session) changeAddress(op operation.AddressChange) error {
	index, err := s.optionalIndex(op.Dev)
	if err != nil {
		return err
	}
	kind, flags := unix.RTM_NEWADDR, 0
	switch op.Verb {
	case operation.Add:
		flags = unix.NLM_F_CREATE | unix.NLM_F_EXCL
	case operation.Change:
		flags = unix.NLM_F_REPLACE
	case operation.Replace:
		flags = unix.NLM_F_CREATE | unix.NLM_F_REPLACE
	case operation.Delete:
		kind = unix.RTM_DELADDR
	}
	header := nl.NewIfAddrmsg(familyOf(op.Prefix.Addr()))
	header.Index = uint32(index)
	header.Prefixlen = uint8(max(op.Prefix.Bits(), 0))
	m := s.request(kind, flags, header)
	s.putAddresses(m, header, op)
	if header.Scope, err = s.addressScope(op); err != nil {
		return err
	}
	if err := putBroadcast(m, op); err != nil {
		return err
	}
	putAddressFlags(m, header, op)
	if op.Label != "" {
		m.put(unix.IFA_LABEL, nl.ZeroTerminated(op.Label))
	}
	if op.Anycast.IsValid() {
		m.put(unix.IFA_ANYCAST, op.Anycast.AsSlice())
	}
	if op.Metric != nil {
		m.put(unix.IFA_RT_PRIORITY, nl.Uint32Attr(*op.Metric))
	}
	if op.ValidLft != nil || op.PreferredLft != nil {
		lifetimes, err := lifetimes(op)
		if err != nil {
			return err
		}
		m.put(unix.IFA_CACHEINFO, lifetimes)
	}
	return m.send()
}

// putAddresses adds the local address, and the address that the prefix length belongs to: the peer's if there is one.
func (s *session) putAddresses(m message, header *nl.IfAddrmsg, op operation.AddressChange) {
	if !op.Prefix.IsValid() {
		return
	}
	m.put(unix.IFA_LOCAL, op.Prefix.Addr().AsSlice())
	switch {
	case op.Peer.IsValid():
		header.Prefixlen = uint8(op.Peer.Bits())
		m.put(unix.IFA_ADDRESS, op.Peer.Addr().AsSlice())
	// without IFA_ADDRESS the kernel ignores the prefix length (inet_rtm_deladdr, net/ipv4/devinet.c)
	case op.AnyLength:
	default:
		m.put(unix.IFA_ADDRESS, op.Prefix.Addr().AsSlice())
	}
}

// addressScope is the scope given in the command. The default is host for a new address in 127/8 and global otherwise.
func (s *session) addressScope(op operation.AddressChange) (uint8, error) {
	switch {
	case op.Scope != "":
		return s.scope(op.Scope)
	case op.Verb != operation.Delete && op.Prefix.Addr().Is4() && op.Prefix.Addr().IsLoopback():
		return unix.RT_SCOPE_HOST, nil
	}
	return unix.RT_SCOPE_UNIVERSE, nil
}

// putBroadcast adds the broadcast address, if one was given: "+" sets all host bits, "-" clears them.
func putBroadcast(m message, op operation.AddressChange) error {
	if op.Broadcast == "" {
		return nil
	}
	brd, err := netip.ParseAddr(op.Broadcast)
	if op.Broadcast == "+" || op.Broadcast == "-" {
		if !op.Prefix.Addr().Is4() {
			return wrong("Broadcast can be set only for IPv4 addresses")
		}
		of := op.Prefix
		if op.Peer.IsValid() {
			of = op.Peer
		}
		if of.Bits() > 30 {
			return nil
		}
		brd, err = edge(of, op.Broadcast == "+"), nil
	}
	if err != nil {
		return wrong("argument %q is wrong: an inet prefix is expected", op.Broadcast)
	}
	m.put(unix.IFA_BROADCAST, brd.AsSlice())
	return nil
}

// edge is the first or last IPv4 address of a prefix.
func edge(p netip.Prefix, last bool) netip.Addr {
	b := p.Masked().Addr().As4()
	if last {
		binary.BigEndian.PutUint32(b[:], binary.BigEndian.Uint32(b[:])|^uint32(0)>>p.Bits())
	}
	return netip.AddrFrom4(b)
}

func putAddressFlags(m message, header *nl.IfAddrmsg, op operation.AddressChange) {
	var flags uint32
	for _, f := range []struct {
		on   bool
		flag uint32
	}{
		{op.NoDAD, unix.IFA_F_NODAD}, {op.HomeAddress, unix.IFA_F_HOMEADDRESS},
		{op.MngTmpAddr, unix.IFA_F_MANAGETEMPADDR},
		{op.NoPrefixRoute, unix.IFA_F_NOPREFIXROUTE}, {op.Optimistic, unix.IFA_F_OPTIMISTIC},
		{op.AutoJoin, unix.IFA_F_MCAUTOJOIN},
	} {
		if f.on {
			flags |= f.flag
		}
	}
	header.Flags = uint8(flags)
	if flags > 0xff {
		m.put(unix.IFA_FLAGS, nl.Uint32Attr(flags))
	}
}

// lifetimes is a struct ifa_cacheinfo, in seconds; a lifetime that was not given is infinite.
func lifetimes(op operation.AddressChange) ([]byte, error) {
	valid, preferred := operation.Forever, operation.Forever
	if op.ValidLft != nil {
		valid = *op.ValidLft
	}
	if op.PreferredLft != nil {
		preferred = *op.PreferredLft
	}
	if op.PreferredLft != nil && preferred > valid {
		return nil, wrong("preferred_lft is greater than valid_lft")
	}
	b := nl.Uint32Attr(preferred)
	b = append(b, nl.Uint32Attr(valid)...)
	return append(b, make([]byte, 8)...), nil
}

// familyOf is the address family, AF_UNSPEC for the zero Addr.
func familyOf(a netip.Addr) int {
	switch {
	case a.Is4():
		return unix.AF_INET
	case a.Is6():
		return unix.AF_INET6
	}
	return unix.AF_UNSPEC
}
