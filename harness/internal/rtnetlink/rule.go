package rtnetlink

import (
	"encoding/binary"
	"strconv"
	"strings"

	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"

	"netnscheck/harness/scenario/operation"
)

// ruleActions are the actions of a rule other than a table lookup.
var ruleActions = map[string]uint8{"blackhole": nl.FR_ACT_BLACKHOLE, "unreachable": nl.FR_ACT_UNREACHABLE,
	"prohibit": nl.FR_ACT_PROHIBIT,
	"nop":      nl.FR_ACT_NOP, "unicast": nl.FR_ACT_TO_TBL}

// changeRule is `ip rule add|del`. struct fib_rule_hdr has the layout of struct rtmsg, with the action in place of the
// route's type.
func (s *session) changeRule(op operation.RuleChange) error {
	r := op.Rule
	header := &nl.RtMsg{}
	kind, flags := unix.RTM_NEWRULE, unix.NLM_F_CREATE|unix.NLM_F_EXCL
	header.Type = nl.FR_ACT_TO_TBL
	if op.Verb == operation.Delete {
		kind, flags, header.Type = unix.RTM_DELRULE, 0, nl.FR_ACT_UNSPEC
	}
	header.Family = unix.AF_INET
	if r.Family == operation.FamilyV6 {
		header.Family = unix.AF_INET6
	}
	m := s.request(kind, flags, header)
	if r.Not {
		header.Flags |= unix.FIB_RULE_INVERT
	}
	if r.TOS != nil {
		header.Tos = *r.TOS
	}
	if r.From.IsValid() {
		header.Src_len = uint8(r.From.Bits())
		m.put(nl.FRA_SRC, r.From.Addr().AsSlice())
	}
	if r.To.IsValid() {
		header.Dst_len = uint8(r.To.Bits())
		m.put(nl.FRA_DST, r.To.Addr().AsSlice())
	}
	if err := s.putSelectors(m, r); err != nil {
		return err
	}
	if err := s.putAction(m, header, op); err != nil {
		return err
	}
	if r.UIDRange != "" {
		m.by = s
	}
	return m.send()
}

// putSelectors adds the rule's selectors and its priority.
func (s *session) putSelectors(m message, r operation.Rule) error {
	for _, n := range []struct {
		attribute int
		value     *uint32
	}{{nl.FRA_PRIORITY, r.Priority}, {nl.FRA_FWMARK, r.Mark}, {nl.FRA_FWMASK, r.Mask}} {
		if n.value != nil {
			m.put(n.attribute, nl.Uint32Attr(*n.value))
		}
	}
	if r.IIf != "" {
		m.put(nl.FRA_IIFNAME, nl.ZeroTerminated(r.IIf))
	}
	if r.OIf != "" {
		m.put(nl.FRA_OIFNAME, nl.ZeroTerminated(r.OIf))
	}
	if r.IPProto != "" {
		proto, err := s.number(operation.IPProtocols, "", r.IPProto, "ipproto", 8)
		if err != nil {
			return err
		}
		m.put(nl.FRA_IP_PROTO, nl.Uint8Attr(uint8(proto)))
	}
	for _, v := range []struct {
		attribute, bits int
		text, what      string
	}{{nl.FRA_SPORT_RANGE, 16, r.SPort, "sport"}, {nl.FRA_DPORT_RANGE, 16, r.DPort, "dport"},
		{nl.FRA_UID_RANGE, 32, r.UIDRange, "uidrange"}} {
		if v.text == "" {
			continue
		}
		bounds, err := bounds(v.text, v.bits)
		if err != nil {
			return wrong("argument %q is wrong: invalid %q", v.text, v.what)
		}
		m.put(v.attribute, bounds)
	}
	return nil
}

// bounds are the two numbers of a range such as `80-90`, each with that many bits; a single number is both.
func bounds(text string, bits int) ([]byte, error) {
	low, high, two := strings.Cut(text, "-")
	if !two {
		high = low
	}
	var b []byte
	for _, word := range []string{low, high} {
		n, err := strconv.ParseUint(word, 0, bits)
		if err != nil {
			return nil, err
		}
		if bits == 16 {
			b = binary.NativeEndian.AppendUint16(b, uint16(n))
		} else {
			b = binary.NativeEndian.AppendUint32(b, uint32(n))
		}
	}
	return b, nil
}

// putAction adds what the rule does with a matching packet.
func (s *session) putAction(m message, header *nl.RtMsg, op operation.RuleChange) error {
	r := op.Rule
	if r.SuppressPrefixLength != nil {
		m.put(nl.FRA_SUPPRESS_PREFIXLEN, nl.Uint32Attr(uint32(*r.SuppressPrefixLength)))
	}
	if r.SuppressIfGroup != nil {
		m.put(nl.FRA_SUPPRESS_IFGROUP, nl.Uint32Attr(*r.SuppressIfGroup))
	}
	if r.Protocol != "" {
		proto, err := s.protocol(r.Protocol)
		if err != nil {
			return err
		}
		m.put(nl.FRA_PROTOCOL, nl.Uint8Attr(proto))
	}
	if r.Goto != nil {
		header.Type = nl.FR_ACT_GOTO
		m.put(nl.FRA_GOTO, nl.Uint32Attr(*r.Goto))
	}
	if r.Type != "" {
		action, ok := ruleActions[r.Type]
		if !ok {
			return wrong("Failed to parse rule type: %s", r.Type)
		}
		header.Type = action
	}
	switch {
	case r.L3MDev:
		m.put(nl.FRA_L3MDEV, nl.Uint8Attr(1))
	case r.Table != "":
		table, err := s.table(r.Table)
		if err != nil {
			return err
		}
		putTable(m, header, &table)
	case op.Verb != operation.Delete && r.Type == "" && r.Goto == nil:
		header.Table = unix.RT_TABLE_MAIN
	}
	return nil
}

// flushRules is `ip rule flush`: all rules but the one of priority 0, which looks up the table local.
func (s *session) flushRules(op operation.RuleFlush) error {
	of := unix.AF_INET
	if op.Family == operation.FamilyV6 {
		of = unix.AF_INET6
	}
	return flush(func() ([]message, error) {
		dumped, err := s.dump(unix.RTM_GETRULE, unix.RTM_NEWRULE,
			func() nl.NetlinkRequestData { return &nl.RtMsg{RtMsg: unix.RtMsg{Family: uint8(of)}} }, nil)
		if err != nil {
			return nil, err
		}
		var deletions []message
		for _, msg := range dumped {
			attrs, err := attributes(msg, (&nl.RtMsg{}).Len())
			if err != nil {
				return nil, err
			}
			if number(attrs[nl.FRA_PRIORITY]) != 0 {
				deletion := s.again(unix.RTM_DELRULE, msg)
				if attrs[nl.FRA_UID_RANGE] != nil {
					deletion.by = s
				}
				deletions = append(deletions, deletion)
			}
		}
		return deletions, nil
	})
}
