package observe

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"

	"netnscheck/harness/state"
)

// understanding is a rule whose expressions are being read, one after the other, as nft_do_chain in the kernel runs
// them.
type understanding struct {
	*ruleset
	raw       rawRule
	rule      state.FilterRule
	words     []word
	registers map[uint32]register
	protocols []string // the possible transport protocols so far
	network   string   // the network protocol so far: ip, ip6, arp
	bound     *expr.Cmp
	// outcomes are those of a lookup that distinguishes several, each with its own conditions.
	outcomes []state.FilterRule
	// mapped is what a map gives in each outcome; nil without a map.
	mapped *mapped
}

// word is a part of the rule's text. nft leaves out a part that a later one implies: `meta l4proto tcp` before `tcp
// dport 22`.
type word struct {
	text       string
	key, value string // of a part that can be implied
}

// register is the content of a register: fields of the packet, or a constant.
type register struct {
	fields []field
	// mask and xor are what is done to the field, if anything is.
	mask, xor []byte
	data      []byte
}

// slot is the first 32-bit register of a register.
func slot(number uint32) uint32 {
	if number >= unix.NFT_REG32_00 {
		return number - unix.NFT_REG32_00
	}
	return (number - unix.NFT_REG_1) * 4
}

// understand translates a rule into one FilterRule, or into several if it distinguishes several kinds of packets.
func (s *ruleset) understand(raw rawRule) ([]state.FilterRule, error) {
	u := &understanding{ruleset: s, raw: raw, registers: map[uint32]register{}}
	u.rule.Handle = raw.handle
	switch raw.in.family {
	case unix.NFPROTO_IPV4:
		u.network = "ip"
	case unix.NFPROTO_IPV6:
		u.network = "ip6"
	case unix.NFPROTO_ARP:
		u.network = "arp"
	}
	var failed error
	attributes(raw.expressions, func(_ uint16, data []byte) {
		if failed == nil {
			failed = u.expression(expressionName(data), expressionData(data))
		}
	})
	if failed != nil {
		return nil, failed
	}
	u.closeBound()
	return u.finish(), nil
}

func expressionName(data []byte) (name string) {
	attributes(data, func(kind uint16, data []byte) {
		if kind == unix.NFTA_EXPR_NAME {
			name = text(data)
		}
	})
	return name
}

func expressionData(data []byte) (inner []byte) {
	attributes(data, func(kind uint16, data []byte) {
		if kind == unix.NFTA_EXPR_DATA {
			inner = data
		}
	})
	return inner
}

// expression reads one expression. One that is not understood makes the rule opaque; an error is for a failed read.
func (u *understanding) expression(name string, data []byte) error {
	e, known := map[string]expr.Any{
		"meta": &expr.Meta{}, "fib": &expr.Fib{}, "payload": &expr.Payload{}, "ct": &expr.Ct{},
		"bitwise": &expr.Bitwise{}, "cmp": &expr.Cmp{},
		"range": &expr.Range{}, "lookup": &expr.Lookup{}, "immediate": &expr.Immediate{}, "counter": &expr.Counter{},
		"limit":  &expr.Limit{},
		"reject": &expr.Reject{}, "masq": &expr.Masq{}, "nat": &expr.NAT{}, "redir": &expr.Redir{},
		"objref": &expr.Objref{}, "numgen": &expr.Numgen{}, "hash": &expr.Hash{}, "notrack": &expr.Notrack{},
	}[name]
	if known && expr.Unmarshal(u.raw.in.family, data, e) != nil {
		e, known = nil, false
	}
	if c, ok := e.(*expr.Cmp); !ok || u.bound == nil || c.Op != expr.CmpOpLte || c.Register != u.bound.Register {
		u.closeBound()
	}
	switch e := e.(type) {
	case *expr.Meta:
		f, ok := metaFields[e.Key]
		if e.SourceRegister {
			u.setMeta(e)
			return nil
		}
		u.load(e.Register, ok, name, f)
	case *expr.Fib:
		f, ok := fibField(e)
		u.load(e.Register, ok, name, f)
	case *expr.Ct:
		f, ok := ctFields[e.Key]
		if e.SourceRegister {
			u.setCt(e)
			return nil
		}
		u.load(e.Register, ok && e.Register != 0, name, f)
	case *expr.Payload:
		if e.OperationType == expr.PayloadWrite {
			u.writePayload(e)
			return nil
		}
		fields := covered(u.header(e.Base), e.Offset, e.Len)
		u.load(e.DestRegister, len(fields) > 0, name, fields...)
	case *expr.Numgen:
		u.load(e.Register, e.Modulus > 0, name, distribution("numgen "+numgen[e.Type], e.Modulus, e.Offset))
	case *expr.Hash:
		u.hashed(e)
	case *expr.Notrack:
		u.change(state.FilterChange{Key: "notrack"}, "notrack")
	case *expr.Bitwise:
		u.mask(e, data)
	case *expr.Cmp:
		u.compare(e)
	case *expr.Range:
		u.between(e)
	case *expr.Lookup:
		return u.lookup(e)
	case *expr.Immediate:
		u.immediate(e, data)
	case *expr.Counter:
		u.say("counter")
	default:
		if name == "byteorder" { // the library does not parse it
			u.byteorder(data)
			return nil
		}
		u.statement(name, e, known, data)
	}
	return nil
}

// header are the fields of a header, as far as its protocol is known.
func (u *understanding) header(base expr.PayloadBase) []placed {
	switch base {
	case expr.PayloadBaseLLHeader:
		return ethernetHeader
	case expr.PayloadBaseNetworkHeader:
		return map[string][]placed{"ip": ipHeader, "ip6": ip6Header, "arp": arpHeader}[u.network]
	case expr.PayloadBaseTransportHeader:
		return transportHeader(u.protocols)
	}
	return nil
}

func (u *understanding) load(to uint32, known bool, name string, fields ...field) {
	u.overwrite(to)
	if !known {
		u.unknown(name)
		return
	}
	u.registers[slot(to)] = register{fields: fields}
}

func (u *understanding) mask(e *expr.Bitwise, data []byte) {
	const operation = 6 // NFTA_BITWISE_OP: 0 is mask and xor, others are shifts and more
	plain := true
	attributes(data, func(kind uint16, data []byte) { plain = plain && (kind != operation || big(data) == 0) })
	from := u.registers[slot(e.SourceRegister)]
	delete(u.registers, slot(e.DestRegister))
	if !plain || len(from.fields) == 0 || from.mask != nil {
		u.unknown("bitwise")
		return
	}
	u.registers[slot(e.DestRegister)] = register{fields: from.fields, mask: e.Mask, xor: e.Xor}
}

func (u *understanding) immediate(e *expr.Immediate, data []byte) {
	if e.Register != unix.NFT_REG_VERDICT {
		u.overwrite(e.Register)
		u.registers[slot(e.Register)] = register{data: e.Data}
		return
	}
	attributes(data, func(kind uint16, data []byte) {
		if kind == unix.NFTA_IMMEDIATE_DATA {
			v := dataVerdict(data)
			u.rule.Verdict, u.rule.Target = v.word, v.target
			if v.word == "" {
				u.say("continue")
				return
			}
			u.say(strings.TrimSpace(v.word + " " + v.target))
		}
	})
}

// say adds to the text of the rule.
func (u *understanding) say(text string) { u.words = append(u.words, word{text: text}) }

// unknown makes the rule opaque.
func (u *understanding) unknown(name string) {
	u.rule.Opaque = true
	u.say("[" + name + "]")
}

// match adds a condition, and restricts the protocols of the headers accordingly.
func (u *understanding) match(f field, operator string, m state.FilterMatch, values string) {
	m.Key = f.key
	u.condition()
	u.rule.Matches = append(u.rule.Matches, m)
	u.sayMatch(f, operator, values)
	if m.Not {
		return
	}
	switch f.key {
	case "l4proto":
		u.protocols = m.Values
	case "nfproto", "ether type":
		u.network = ""
		if len(m.Values) == 1 {
			u.network = map[string]string{"ipv4": "ip", "ipv6": "ip6", "ip": "ip", "ip6": "ip6",
				"arp": "arp"}[m.Values[0]]
		}
	}
}

// condition makes a rule opaque if a change comes before a condition: it is made whether that holds or not.
func (u *understanding) condition() {
	u.rule.Opaque = u.rule.Opaque || len(u.rule.Changes) > 0 ||
		slices.ContainsFunc(u.outcomes, func(o state.FilterRule) bool { return len(o.Changes) > 0 })
}

// sayMatch adds the text of a condition, and removes those that it implies.
func (u *understanding) sayMatch(f field, operator, values string) {
	u.implied(f.text())
	w := word{text: f.text() + " " + operator + values}
	if operator == "" && (f.key == "l4proto" || f.key == "nfproto" || f.key == "ether type") {
		w.key, w.value = f.key, values
	}
	u.words = append(u.words, w)
}

// implied removes the conditions that this text implies.
func (u *understanding) implied(text string) {
	network, upper := "", ""
	switch first, _, _ := strings.Cut(text, " "); first {
	case "ip", "ip6", "arp":
		network = first
	case "icmp":
		network, upper = "ip", "icmp"
	case "icmpv6":
		network, upper = "ip6", "ipv6-icmp"
	case "tcp", "udp":
		upper = first
	default:
		return
	}
	u.words = slices.DeleteFunc(u.words, func(w word) bool {
		switch w.key {
		case "l4proto":
			return w.value == upper
		case "nfproto":
			return w.value == map[string]string{"ip": "ipv4", "ip6": "ipv6"}[network]
		case "ether type":
			return w.value == network
		}
		return false
	})
}

// finish is the rule, or one for each outcome and each protocol.
func (u *understanding) finish() []state.FilterRule {
	var all []string
	for _, w := range u.words {
		all = append(all, w.text)
	}
	if c := comment(u.raw.userdata); c != "" {
		all = append(all, fmt.Sprintf("comment %q", c))
	}
	u.rule.Text = strings.Join(all, " ")
	rules := []state.FilterRule{u.rule}
	if u.outcomes != nil {
		rules = nil
		for _, o := range u.outcomes {
			rule := u.rule
			rule.Matches = slices.Concat(u.rule.Matches, o.Matches)
			if o.Verdict != "" {
				rule.Verdict, rule.Target = o.Verdict, o.Target
			}
			if o.Addr.IsValid() || o.Port != 0 {
				rule.Addr, rule.Port = o.Addr, cmp.Or(o.Port, u.rule.Port)
			}
			rule.Changes = slices.Concat(u.rule.Changes, o.Changes)
			rules = append(rules, rule)
		}
	}
	var single []state.FilterRule
	for _, r := range rules {
		single = append(single, byProtocol(r)...)
	}
	return single
}

// byProtocol splits a rule about the ports of several protocols (th dport) into one for each.
func byProtocol(r state.FilterRule) []state.FilterRule {
	of := slices.IndexFunc(r.Matches, func(m state.FilterMatch) bool {
		return m.Key == "l4proto" && !m.Not && !slices.ContainsFunc(m.Values, func(protocol string) bool {
			return protocol != "tcp" && protocol != "udp"
		})
	})
	if of < 0 || !slices.ContainsFunc(r.Matches, func(m state.FilterMatch) bool {
		return strings.HasPrefix(m.Key, "th ")
	}) {
		return []state.FilterRule{r}
	}
	var all []state.FilterRule
	for _, protocol := range r.Matches[of].Values {
		one := r
		one.Matches = slices.Clone(r.Matches)
		one.Matches[of].Values = []string{protocol}
		for i, m := range one.Matches {
			if which, ok := strings.CutPrefix(m.Key, "th "); ok {
				one.Matches[i].Key = protocol + " " + which
			}
		}
		all = append(all, one)
	}
	return all
}
