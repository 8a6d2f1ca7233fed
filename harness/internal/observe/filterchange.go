package observe

import (
	"bytes"
	"fmt"
	"net/netip"
	"slices"
	"strconv"

	"github.com/google/nftables/expr"

	"netnscheck/harness/state"
)

// mapped is what a lookup in a map has written to registers, a value for each outcome of the rule.
type mapped struct {
	at   uint32 // the first register
	set  *filterSet
	text string
}

// from are the bytes of each outcome from a register on; nil if the map did not write it.
func (m *mapped) from(number uint32, size int) (values [][]byte) {
	if m == nil || slot(number) < m.at {
		return nil
	}
	begin := int(slot(number)-m.at) * 4
	for _, e := range m.set.elements {
		if begin+size > len(e.data) {
			return nil
		}
		values = append(values, e.data[begin:begin+size])
	}
	return values
}

// overwrite forgets what a register had.
func (u *understanding) overwrite(number uint32) {
	delete(u.registers, slot(number))
	if u.mapped.from(number, 1) != nil {
		u.mapped = nil
	}
}

// dataText is the value of an element: an address, an address and a port, a port, or a number.
func dataText(data []byte) string {
	switch len(data) {
	case 2:
		return fmt.Sprint(port(data))
	case 4, 16:
		return addressValue(nil, data)
	case 8, 20:
		return addressValue(nil, data[:len(data)-4]) + " . " + fmt.Sprint(port(data[len(data)-4:]))
	}
	return fmt.Sprintf("0x%x", data)
}

// change notes a change of the packet.
func (u *understanding) change(c state.FilterChange, text string) {
	u.rule.Changes = append(u.rule.Changes, c)
	u.say(text)
}

// setMeta reads `meta mark set`. The other properties of a packet that a rule can set do not decide where it goes, but
// for pkttype, on a bridge.
func (u *understanding) setMeta(e *expr.Meta) {
	words := map[expr.MetaKey]string{expr.MetaKeyMARK: "mark", expr.MetaKeyPRIORITY: "priority",
		expr.MetaKeyNFTRACE: "nftrace", expr.MetaKeySECMARK: "secmark", expr.MetaKeyPKTTYPE: "pkttype"}
	word := words[e.Key]
	switch {
	case word == "":
		u.unknown("meta")
	case e.Key == expr.MetaKeyMARK:
		u.setMark(mark, e.Register)
	case e.Key == expr.MetaKeyPKTTYPE:
		u.change(state.FilterChange{Key: word}, "meta pkttype set [value]")
	default:
		u.say("meta " + word + " set [value]")
	}
}

// setCt reads `ct mark set` and `ct zone set`.
func (u *understanding) setCt(e *expr.Ct) {
	switch e.Key {
	case expr.CtKeyMARK:
		u.setMark(ctMark, e.Register)
	case expr.CtKeyZONE:
		u.change(state.FilterChange{Key: ctZone.key}, "ct zone set [value]")
	case expr.CtKeyEVENTMASK, expr.CtKeyLABELS, expr.CtKeySECMARK:
		u.say("[ct set]")
	default:
		u.unknown("ct set")
	}
}

// setMark reads a new mark: a constant, some bits of the old one, or a value of a map.
func (u *understanding) setMark(f field, number uint32) {
	from := u.registers[slot(number)]
	c := state.FilterChange{Key: f.key}
	if values := u.mapped.from(number, 4); from.data == nil && len(from.fields) == 0 && values != nil {
		for i, v := range values {
			u.outcomes[i].Changes = append(u.outcomes[i].Changes, state.FilterChange{Key: f.key, Value: markValue(nil, v)})
		}
		u.say(f.text() + " set " + u.mapped.text)
		return
	}
	value := "[value]"
	switch {
	case len(from.data) == 4:
		c.Value = markValue(nil, from.data)
		value = c.Value
	case len(from.fields) == 1 && from.fields[0].key == f.key && len(from.mask) == 4 && len(from.xor) == 4:
		c.Value, c.Keep = markValue(nil, from.xor), native.Uint32(from.mask)
		value = fmt.Sprintf("%s & 0x%08x ^ %s", f.text(), c.Keep, c.Value)
		switch x := native.Uint32(from.xor); {
		case c.Keep == ^x:
			value = fmt.Sprintf("%s | 0x%08x", f.text(), x)
		case c.Keep == ^uint32(0):
			value = fmt.Sprintf("%s ^ 0x%08x", f.text(), x)
		}
	case len(from.fields) == 1:
		value = from.fields[0].text()
	}
	u.change(c, f.text()+" set "+value)
}

// writePayload reads a write to a header: the fields that it touches, with the new value of a whole one.
func (u *understanding) writePayload(e *expr.Payload) {
	from := u.registers[slot(e.SourceRegister)]
	header := u.header(e.Base)
	touched := slices.DeleteFunc(slices.Clone(header), func(p placed) bool {
		return p.at+uint32(p.size) <= e.Offset || e.Offset+e.Len <= p.at
	})
	if len(touched) == 0 {
		u.change(state.FilterChange{Key: "payload"}, "[payload] set [value]")
		return
	}
	for _, p := range touched {
		c, shown := state.FilterChange{Key: p.key}, "[value]"
		if begin := int(p.at) - int(e.Offset); begin >= 0 && begin+p.size <= int(e.Len) {
			value, kept := from.written(begin, p.size)
			if kept {
				continue
			}
			if value != nil {
				c.Value = p.value(u.ruleset, value)
				shown = c.Value
			}
		}
		u.implied(p.text())
		u.change(c, p.text()+" set "+shown)
	}
}

// written are some bytes of a register, of which nil are not known; kept is set if they are those of the packet.
func (r register) written(begin, size int) (value []byte, kept bool) {
	end := begin + size
	switch {
	case len(r.data) >= end:
		return r.data[begin:end], false
	case len(r.mask) < end || len(r.xor) < end:
		return nil, false
	case bytes.Count(r.mask[begin:end], []byte{0}) == size:
		return r.xor[begin:end], false
	}
	return nil, bytes.Count(r.mask[begin:end], []byte{0xff}) == size && bytes.Count(r.xor[begin:end], []byte{0}) == size
}

// target is where a translation sends packets: address and port of a register each, 0 for none. It is a constant
// or, for each outcome of the rule, a value of its map.
func (u *understanding) target(address, ports uint32, size int) (text string, known bool) {
	if u.mapped == nil {
		return "", false
	}
	addresses, numbers := u.mapped.from(address, size), u.mapped.from(ports, 2)
	if address != 0 && addresses == nil || ports != 0 && numbers == nil && u.registers[slot(ports)].data == nil {
		return "", false
	}
	for i := range u.outcomes {
		if address != 0 {
			u.outcomes[i].Addr, _ = netip.AddrFromSlice(addresses[i])
		}
		if ports != 0 && numbers != nil {
			u.outcomes[i].Port = port(numbers[i])
		}
	}
	text = u.mapped.text
	if ports != 0 && numbers == nil {
		u.rule.Port = port(u.registers[slot(ports)].data)
		text += ":" + strconv.Itoa(int(u.rule.Port))
	}
	return text, true
}
