package observe

import (
	"bytes"
	"strings"

	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"

	"netnscheck/harness/state"
)

// legacyLayout says where the parts of a rule are: struct ipt_entry, or ip6t_entry.
type legacyLayout struct {
	source, destination field
	address             int // the length of an address; both come first, then their masks
	interfaces          int // names of the incoming and the outgoing interface, then their masks
	protocol            int
	flags               int // then those that are inverted
	offsets             int // of the target, then of the next rule
	size                int
	other               byte // flags of conditions that are not understood
	goes                byte // the flag of a goto
}

var legacyLayouts = map[byte]legacyLayout{
	unix.NFPROTO_IPV4: {ipSaddr, ipDaddr, 4, 16, 80, 82, 88, 112, 1, 2},
	unix.NFPROTO_IPV6: {ip6Saddr, ip6Daddr, 16, 64, 128, 131, 140, 168, 2, 4},
}

// The flags of what is inverted (IPT_INV_…).
const (
	notIn = 1 << iota
	notOut
	_
	notSource
	notDestination
	notFragment
	notProtocol
)

// legacyEntry reads a rule of a table of iptables-legacy, where the chains begin at these offsets.
func (u *understanding) legacyEntry(e legacyEntry, begins map[int]string) {
	l := legacyLayouts[u.raw.in.family]
	flags, not := e.data[l.flags], e.data[l.flags+1]
	u.legacyInterface(iifname, e.data[l.interfaces:], not&notIn != 0)
	u.legacyInterface(oifname, e.data[l.interfaces+unix.IFNAMSIZ:], not&notOut != 0)
	u.legacyAddress(l.source, e.data, l.address, not&notSource != 0)
	u.legacyAddress(l.destination, e.data[l.address:], l.address, not&notDestination != 0)
	if protocol := native.Uint16(e.data[l.protocol:]); protocol != 0 {
		u.legacyMatch(l4proto, not&notProtocol != 0, l4proto.value(nil, []byte{byte(protocol)}))
	}
	if flags&l.other != 0 || not&notFragment != 0 {
		u.unknown(map[bool]string{true: "tos", false: "fragment"}[u.raw.in.family == unix.NFPROTO_IPV6])
	}
	for rest := e.data[l.size:]; len(rest) >= targetHeader; {
		size := int(native.Uint16(rest))
		if size < targetHeader || size > len(rest) {
			u.unknown("xt match")
			break
		}
		u.xtMatch(e.named(rest[:size]))
		rest = rest[size:]
	}
	name, revision, info := e.named(e.target)
	if name != "" {
		u.xtTarget(name, revision, info)
		return
	}
	if len(info) < 4 {
		u.unknown("xt target")
		return
	}
	u.legacyVerdict(int32(native.Uint32(info)), e.next, flags&l.goes != 0, begins)
}

// legacyVerdict reads a verdict, or the offset of the rule at which to go on: that of a chain, or the next one.
func (u *understanding) legacyVerdict(verdict int32, next int, goes bool, begins map[int]string) {
	const drop, accept, back = -1, -2, -5
	switch {
	case verdict == drop:
		u.rule.Verdict = "drop"
	case verdict == accept:
		u.rule.Verdict = "accept"
	case verdict == back:
		u.rule.Verdict = "return"
	case verdict < 0:
		u.unknown("xt target QUEUE")
		return
	case begins[int(verdict)] != "":
		u.rule.Verdict, u.rule.Target = "jump", begins[int(verdict)]
		if goes {
			u.rule.Verdict = "goto"
		}
	case int(verdict) != next:
		u.unknown("xt target")
		return
	}
	if u.rule.Verdict != "" {
		u.say(strings.TrimSpace(u.rule.Verdict + " " + u.rule.Target))
	}
}

// legacyInterface reads the name of an interface, whose mask is 32 bytes behind it: without the zero at the end of the
// name, it is that of any interface that begins so.
func (u *understanding) legacyInterface(f field, data []byte, not bool) {
	name, mask := data[:unix.IFNAMSIZ], data[2*unix.IFNAMSIZ:3*unix.IFNAMSIZ]
	compared := bytes.Count(mask, []byte{0xff})
	value := text(name[:compared])
	switch {
	case compared == 0:
		return
	case len(value) == compared && compared < unix.IFNAMSIZ:
		value += "*"
	}
	u.legacyMatch(f, not, value)
}

// legacyAddress reads an address, whose mask is two addresses behind it.
func (u *understanding) legacyAddress(f field, data []byte, size int, not bool) {
	value, mask := data[:size], data[2*size:3*size]
	if bytes.Count(mask, []byte{0}) == size && !not {
		return
	}
	operator := expr.CmpOpEq
	if not {
		operator = expr.CmpOpNeq
	}
	u.compareOne(f, mask, operator, value)
}

func (u *understanding) legacyMatch(f field, not bool, value string) {
	operator := ""
	if not {
		operator = "!= "
	}
	u.match(f, operator, state.FilterMatch{Not: not, Values: []string{value}}, quoted(f, value))
}
