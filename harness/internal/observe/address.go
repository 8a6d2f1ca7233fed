package observe

import (
	"net/netip"

	"golang.org/x/sys/unix"

	"netnscheck/harness/state"
)

const ifaProto = 11 // IFA_PROTO, since 5.18

// addressFlags are the names of ip-address(8) in the order of state.Address; for IPv6, IFA_F_SECONDARY is called
// temporary.
var addressFlags = []struct {
	bit  uint32
	name string
}{
	{unix.IFA_F_TENTATIVE, "tentative"}, {unix.IFA_F_DADFAILED, "dadfailed"}, {unix.IFA_F_DEPRECATED, "deprecated"},
	{unix.IFA_F_PERMANENT, "permanent"}, {unix.IFA_F_SECONDARY, "secondary"},
	{unix.IFA_F_NOPREFIXROUTE, "noprefixroute"},
	{unix.IFA_F_NODAD, "nodad"}, {unix.IFA_F_OPTIMISTIC, "optimistic"}, {unix.IFA_F_HOMEADDRESS, "home"},
	{unix.IFA_F_MANAGETEMPADDR, "mngtmpaddr"}, {unix.IFA_F_MCAUTOJOIN, "autojoin"},
	{unix.IFA_F_STABLE_PRIVACY, "stable-privacy"},
}

type addressOf struct {
	state.Address
	link int
}

func (r *reading) readAddresses() error {
	for _, l := range r.links {
		l.Addresses = nil
	}
	all, err := dump(r.route, unix.RTM_GETADDR, make([]byte, unix.SizeofIfAddrmsg), parseAddress)
	for _, a := range all {
		if l := r.link(a.link); l != nil {
			l.Addresses = append(l.Addresses, a.Address)
		} else {
			r.strange = true
		}
	}
	return err
}

func parseAddress(body []byte) (addressOf, bool) {
	if len(body) < unix.SizeofIfAddrmsg || body[0] != unix.AF_INET && body[0] != unix.AF_INET6 {
		return addressOf{}, false
	}
	family, bits, flags := body[0], int(body[1]), uint32(body[2])
	a := addressOf{link: int(native.Uint32(body[4:]))}
	a.Scope = state.ScopeName(body[3])
	a.ValidLft, a.PreferredLft = state.Forever, state.Forever
	var local, other netip.Addr
	attributes(body[unix.SizeofIfAddrmsg:], func(kind uint16, data []byte) {
		switch kind {
		case unix.IFA_LOCAL:
			local, _ = netip.AddrFromSlice(data)
		case unix.IFA_ADDRESS:
			other, _ = netip.AddrFromSlice(data)
		case unix.IFA_BROADCAST:
			a.Broadcast, _ = netip.AddrFromSlice(data)
		case unix.IFA_LABEL:
			a.Label = text(data)
		case unix.IFA_FLAGS:
			flags = uint32(number(data))
		case unix.IFA_CACHEINFO:
			if len(data) >= 8 {
				a.PreferredLft, a.ValidLft = native.Uint32(data), native.Uint32(data[4:])
			}
		case ifaProto:
			a.Proto = uint8(number(data))
		}
	})
	// IFA_ADDRESS is the address of the peer if there is one, else the same as IFA_LOCAL, which IPv6 then leaves out.
	if !local.IsValid() {
		local = other
	}
	a.Prefix = netip.PrefixFrom(local, bits)
	if other != local && other.IsValid() {
		a.Peer = netip.PrefixFrom(other, bits)
	}
	for _, f := range addressFlags {
		switch {
		case flags&f.bit == 0:
		case f.bit == unix.IFA_F_SECONDARY && family == unix.AF_INET6:
			a.Flags = append(a.Flags, "temporary")
		default:
			a.Flags = append(a.Flags, f.name)
		}
	}
	return a, local.IsValid()
}
