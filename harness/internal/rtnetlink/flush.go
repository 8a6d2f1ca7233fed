package rtnetlink

import (
	"cmp"
	"errors"
	"net/netip"
	"path"
	"slices"
	"syscall"

	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"

	"netnscheck/harness/scenario/operation"
)

// maxRounds is how many times a flush lists the entries.
const maxRounds = 10

// flush deletes what list finds and lists again, until nothing is left: a deletion may reveal another entry, such as a
// promoted address. An entry that has gone with another one is not a refusal.
func flush(list func() ([]message, error)) error {
	for range maxRounds {
		deletions, err := list()
		if err != nil || len(deletions) == 0 {
			return err
		}
		for _, d := range deletions {
			if err := d.send(); err != nil && !gone(err) {
				return err
			}
		}
	}
	return wrong("Flush not complete bailing out after %d rounds", maxRounds)
}

func gone(err error) bool {
	var refused *Refused
	return errors.As(err, &refused) && slices.Contains(
		[]syscall.Errno{unix.ENOENT, unix.ESRCH, unix.EADDRNOTAVAIL, unix.ENODEV}, refused.Errno)
}

// again is a request that deletes a dumped entry: the same payload with another message type.
func (s *session) again(kind int, payload []byte) message {
	r := nl.NewNetlinkRequest(kind, unix.NLM_F_ACK)
	r.Sockets = s.sockets
	r.AddRawData(payload)
	return message{NetlinkRequest: r}
}

// attributes are the attributes that follow a message's fixed header.
func attributes(msg []byte, header int) (map[uint16][]byte, error) {
	header = (header + unix.NLMSG_ALIGNTO - 1) &^ (unix.NLMSG_ALIGNTO - 1)
	if len(msg) < header {
		return nil, errors.New("read a netlink message: it is too short")
	}
	list, err := nl.ParseRouteAttr(msg[header:])
	if err != nil {
		return nil, err
	}
	found := map[uint16][]byte{}
	for _, a := range list {
		found[a.Attr.Type&^(unix.NLA_F_NESTED|unix.NLA_F_NET_BYTEORDER)] = a.Value
	}
	return found, nil
}

func addr(b []byte) netip.Addr {
	a, _ := netip.AddrFromSlice(b)
	return a
}

func number(b []byte) uint32 {
	if len(b) < 4 {
		return 0
	}
	return nl.NativeEndian().Uint32(b)
}

// flushAddresses is `ip address flush`. The word up makes no difference, as in iproute2.
func (s *session) flushAddresses(op operation.AddressFlush) error {
	dev, err := s.optionalIndex(op.Dev)
	if err != nil {
		return err
	}
	scope := uint8(0)
	if op.Scope != "" {
		if scope, err = s.scope(op.Scope); err != nil {
			return err
		}
	}
	return flush(func() ([]message, error) {
		dumped, err := s.dump(unix.RTM_GETADDR, unix.RTM_NEWADDR,
			func() nl.NetlinkRequestData { return nl.NewIfAddrmsg(family(op.Family)) }, nil)
		if err != nil {
			return nil, err
		}
		type found struct {
			message
			secondary bool
		}
		var list []found
		for _, msg := range dumped {
			header := nl.DeserializeIfAddrmsg(msg)
			attrs, err := attributes(msg, header.Len())
			if err != nil {
				return nil, err
			}
			local := addr(attrs[unix.IFA_LOCAL])
			if !local.IsValid() {
				local = addr(attrs[unix.IFA_ADDRESS])
			}
			labelled, _ := path.Match(op.Label, nl.BytesToString(append(attrs[unix.IFA_LABEL], 0)))
			switch {
			case op.Dev != "" && header.Index != uint32(dev),
				op.To.IsValid() && !op.To.Contains(local),
				op.Scope != "" && header.Scope != scope,
				op.Label != "" && !labelled:
				continue
			}
			list = append(list, found{s.again(unix.RTM_DELADDR, msg), header.Flags&unix.IFA_F_SECONDARY != 0})
		}
		// Secondary addresses first, while they exist: deleting the primary address also removes those that the filter
		// leaves out.
		slices.SortStableFunc(list, func(a, b found) int { return cmp.Compare(rank(a.secondary), rank(b.secondary)) })
		deletions := make([]message, len(list))
		for i, f := range list {
			deletions[i] = f.message
		}
		return deletions, nil
	})
}

func rank(secondary bool) int {
	if secondary {
		return 0
	}
	return 1
}

func family(f operation.Family) int {
	switch f {
	case operation.FamilyV4:
		return unix.AF_INET
	case operation.FamilyV6:
		return unix.AF_INET6
	}
	return unix.AF_UNSPEC
}
