package rtnetlink

import (
	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"

	"netnscheck/harness/scenario/operation"
)

// changeNeighbour is `ip neighbour add|change|replace|del`.
func (s *session) changeNeighbour(op operation.NeighbourChange) error {
	index, err := s.optionalIndex(op.Dev)
	if err != nil {
		return err
	}
	kind, flags := unix.RTM_NEWNEIGH, 0
	switch op.Verb {
	case operation.Add:
		flags = unix.NLM_F_CREATE | unix.NLM_F_EXCL
	case operation.Change:
		flags = unix.NLM_F_REPLACE
	case operation.Replace:
		flags = unix.NLM_F_CREATE | unix.NLM_F_REPLACE
	case operation.Delete:
		kind = unix.RTM_DELNEIGH
	}
	state := uint32(netlink.NUD_PERMANENT)
	if op.State != "" {
		if state, err = neighbourState(op.State); err != nil {
			return err
		}
	}
	header := &netlink.Ndmsg{Family: uint8(familyOf(op.Address)), Index: uint32(index), State: uint16(state)}
	if op.Proxy {
		header.Flags |= netlink.NTF_PROXY
	}
	if op.Router {
		header.Flags |= netlink.NTF_ROUTER
	}
	m := s.request(kind, flags, header)
	m.put(unix.NDA_DST, op.Address.AsSlice())
	if op.LLAddr != nil {
		m.put(unix.NDA_LLADDR, op.LLAddr)
	}
	return m.send()
}

func neighbourState(word string) (uint32, error) {
	state, ok := operation.NeighbourStates.Number(word)
	if !ok {
		return 0, wrong("argument %q is wrong: nud state is bad", word)
	}
	return state, nil
}

// flushNeighbours is `ip neighbour flush`: all entries but permanent and noarp ones, unless a state is given.
func (s *session) flushNeighbours(op operation.NeighbourFlush) error {
	dev, err := s.optionalIndex(op.Dev)
	if err != nil {
		return err
	}
	var states uint32
	switch op.State {
	case "":
		states = ^uint32(netlink.NUD_PERMANENT | netlink.NUD_NOARP)
	case "all":
		states = ^uint32(0)
	default:
		if states, err = neighbourState(op.State); err != nil {
			return err
		}
	}
	return flush(func() ([]message, error) {
		dumped, err := s.dump(unix.RTM_GETNEIGH, unix.RTM_NEWNEIGH,
			func() nl.NetlinkRequestData { return &netlink.Ndmsg{Family: uint8(family(op.Family))} }, nil)
		if err != nil {
			return nil, err
		}
		var deletions []message
		for _, msg := range dumped {
			attrs, err := attributes(msg, (&netlink.Ndmsg{}).Len())
			if err != nil {
				return nil, err
			}
			// struct ndmsg: the family, three bytes of padding, the index of the link, the state.
			index, state := number(msg[4:8]), uint32(nl.NativeEndian().Uint16(msg[8:10]))
			switch {
			case msg[0] != unix.AF_INET && msg[0] != unix.AF_INET6, // the forwarding database of a bridge
				op.Dev != "" && index != uint32(dev),
				op.To.IsValid() && !op.To.Contains(addr(attrs[unix.NDA_DST])),
				state&states == 0 && (state != 0 || op.State != "none" && op.State != "all"):
				continue
			}
			deletions = append(deletions, s.again(unix.RTM_DELNEIGH, msg))
		}
		return deletions, nil
	})
}
