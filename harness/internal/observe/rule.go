package observe

import (
	"fmt"

	"golang.org/x/sys/unix"

	"netnscheck/harness/state"
)

const sizeofRule = 12 // struct fib_rule_hdr

var ruleActions = map[uint8]string{
	unix.FR_ACT_TO_TBL: "lookup", unix.FR_ACT_GOTO: "goto", unix.FR_ACT_NOP: "nop",
	unix.FR_ACT_BLACKHOLE: "blackhole", unix.FR_ACT_UNREACHABLE: "unreachable", unix.FR_ACT_PROHIBIT: "prohibit",
}

// readRules reads the policy rules of both families in the order in which the kernel evaluates them.
func (r *reading) readRules() (err error) {
	r.Rules, err = dump(r.route, unix.RTM_GETRULE, make([]byte, sizeofRule), parseRule)
	return err
}

func parseRule(body []byte) (state.Rule, bool) {
	if len(body) < sizeofRule || familyOf(body[0]) == 0 {
		return state.Rule{}, false
	}
	rule := state.Rule{
		Family: familyOf(body[0]),
		Not:    native.Uint32(body[8:])&unix.FIB_RULE_INVERT != 0,
		TOS:    body[3],
		Table:  uint32(body[4]),
		Action: ruleActions[body[7]],
	}
	if rule.Action == "" {
		rule.Action = fmt.Sprint(body[7])
	}
	attributes(body[sizeofRule:], func(kind uint16, data []byte) {
		n := uint32(number(data))
		switch kind {
		case unix.FRA_DST:
			rule.To = prefix(data, int(body[1]))
		case unix.FRA_SRC:
			rule.From = prefix(data, int(body[2]))
		case unix.FRA_IIFNAME:
			rule.IIf = text(data)
		case unix.FRA_OIFNAME:
			rule.OIf = text(data)
		case unix.FRA_GOTO:
			rule.Goto = n
		case unix.FRA_PRIORITY:
			rule.Priority = n
		case unix.FRA_FWMARK:
			rule.Mark = n
		case unix.FRA_FWMASK:
			rule.Mask = n
		case unix.FRA_TABLE:
			rule.Table = n
		case unix.FRA_SUPPRESS_PREFIXLEN:
			if length := int(int32(n)); length >= 0 {
				rule.SuppressPrefixLength = &length
			}
		case unix.FRA_SUPPRESS_IFGROUP:
			if group := n; int32(group) >= 0 { // -1 for none
				rule.SuppressIfGroup = &group
			}
		case unix.FRA_L3MDEV:
			rule.L3MDev = n != 0
		case unix.FRA_PROTOCOL:
			rule.Protocol = state.ProtocolName(uint8(n))
		case unix.FRA_IP_PROTO:
			rule.IPProto = state.IPProtocolName(uint8(n))
		case unix.FRA_SPORT_RANGE:
			rule.SPort = portRange(data)
		case unix.FRA_DPORT_RANGE:
			rule.DPort = portRange(data)
		case unix.FRA_UID_RANGE:
			if len(data) == 8 {
				rule.UIDRange = fmt.Sprintf("%d-%d", native.Uint32(data), native.Uint32(data[4:]))
			}
		}
	})
	return rule, true
}

// portRange is one port, or two with a dash between them.
func portRange(data []byte) string {
	if len(data) != 4 {
		return ""
	}
	from, to := native.Uint16(data), native.Uint16(data[2:])
	if from == to {
		return fmt.Sprint(from)
	}
	return fmt.Sprintf("%d-%d", from, to)
}
