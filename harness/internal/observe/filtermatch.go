package observe

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"

	"netnscheck/harness/state"
)

// compare reads a comparison with a constant. The lower bound of a range is kept for the upper one.
func (u *understanding) compare(e *expr.Cmp) {
	from := u.registers[slot(e.Register)]
	switch {
	case len(from.fields) == 0 && u.mapped != nil:
		u.unknown("lookup")
	case len(from.fields) == 0:
		u.rule.Opaque = true // the unknown operand is in the text already
	case e.Op == expr.CmpOpGte && u.bound == nil:
		u.bound = e
	case e.Op == expr.CmpOpLte && u.bound != nil:
		low := u.bound.Data
		u.bound = nil
		u.matchRange(from, false, low, e.Data)
	case len(from.fields) > 1:
		u.compareNeighbours(from, e)
	default:
		u.compareField(from, e)
	}
}

// compareField reads a comparison of one field.
func (u *understanding) compareField(from register, e *expr.Cmp) {
	if f := from.fields[0]; from.mask != nil && f.bits() == nil && !f.isAddress() {
		u.compareMasked(from, e.Op, e.Data)
		return
	}
	if bytes.Count(from.xor, []byte{0}) != len(from.xor) {
		u.unknown("bitwise")
		return
	}
	u.compareOne(from.fields[0], from.mask, e.Op, e.Data)
}

// closeBound adds a lower bound that no upper one follows.
func (u *understanding) closeBound() {
	if e := u.bound; e != nil {
		u.bound = nil
		from := u.registers[slot(e.Register)]
		if len(from.fields) != 1 {
			u.unknown("cmp")
			return
		}
		u.compareField(from, e)
	}
}

// compareNeighbours splits a comparison of several adjacent fields.
func (u *understanding) compareNeighbours(from register, e *expr.Cmp) {
	if e.Op != expr.CmpOpEq || from.mask != nil {
		u.unknown("cmp")
		return
	}
	data := e.Data
	for _, f := range from.fields {
		n := min(f.size, len(data))
		u.compareOne(f, nil, e.Op, data[:n])
		data = data[n:]
	}
}

func (u *understanding) compareOne(f field, mask []byte, op expr.CmpOp, data []byte) {
	low, high := data, data
	switch {
	case f.bits() != nil && mask != nil:
		u.matchBits(f, mask, op, data)
		return
	case f.isAddress():
		bits := 8 * len(data)
		if mask != nil {
			var ok bool
			if bits, ok = maskBits(mask); !ok {
				u.unknown("bitwise")
				return
			}
		}
		low, high = prefixBounds(data, f.size, bits)
		_, isPrefix := commonPrefix(low, high)
		if equal := op == expr.CmpOpEq || op == expr.CmpOpNeq; !isPrefix || !equal && !bytes.Equal(low, high) {
			u.unknown("bitwise") // the value has bits outside the mask, or the field is not a whole address
			return
		}
	}
	switch op {
	case expr.CmpOpEq, expr.CmpOpNeq:
		value := f.span(u.ruleset, low, high)
		if value == "" {
			u.unknown("cmp")
			return
		}
		operator := ""
		if op == expr.CmpOpNeq {
			operator = "!= "
		}
		u.match(f, operator, state.FilterMatch{Not: op == expr.CmpOpNeq, Values: []string{value}}, quoted(f, value))
		return
	}
	first, last := make([]byte, len(low)), bytes.Repeat([]byte{0xff}, len(low))
	operator := ""
	switch op {
	case expr.CmpOpLt:
		operator, last = "< ", before(low)
	case expr.CmpOpLte:
		operator, last = "<= ", low
	case expr.CmpOpGt:
		operator, first = "> ", after(low)
	case expr.CmpOpGte:
		operator, first = ">= ", low
	}
	value := f.between(u.ruleset, first, last)
	if value == "" {
		u.unknown("cmp")
		return
	}
	values := []string{value}
	if op == expr.CmpOpLt && bytes.Compare(last, low) > 0 || op == expr.CmpOpGt && bytes.Compare(first, low) < 0 {
		values = []string{} // nothing is below the lowest or above the highest
	}
	u.match(f, operator, state.FilterMatch{Values: values}, f.value(u.ruleset, low))
}

// prefixBounds are the first and the last address of a prefix, given its first bytes.
func prefixBounds(data []byte, size, bits int) (low, high []byte) {
	low, high = make([]byte, size), make([]byte, size)
	copy(low, data)
	copy(high, data)
	for i := bits; i < 8*size; i++ {
		high[i/8] |= 0x80 >> (i % 8)
	}
	return low, high
}

// matchBits reads `ct state established,related` or `ct status dnat`: one of these bits is set, or none of them.
func (u *understanding) matchBits(f field, mask []byte, op expr.CmpOp, data []byte) {
	words := maskWords(f.bits(), number(mask))
	if words == nil || number(data) != 0 || op != expr.CmpOpEq && op != expr.CmpOpNeq {
		u.unknown(f.key)
		return
	}
	not, operator := op == expr.CmpOpEq, ""
	if not {
		operator = "! "
	}
	u.match(f, operator, state.FilterMatch{Not: not, Values: words}, strings.Join(words, ","))
}

func (u *understanding) between(e *expr.Range) {
	from := u.registers[slot(e.Register)]
	if len(from.fields) != 1 {
		u.unknown("range")
		return
	}
	u.matchRange(from, e.Op == expr.CmpOpNeq, e.FromData, e.ToData)
}

func (u *understanding) matchRange(from register, not bool, low, high []byte) {
	f, value := from.fields[0], ""
	if len(from.fields) == 1 && from.mask == nil && len(low) == f.size && len(high) == f.size {
		value = f.between(u.ruleset, low, high)
	}
	if value == "" {
		u.unknown("range")
		return
	}
	operator := ""
	if not {
		operator = "!= "
	}
	u.match(f, operator, state.FilterMatch{Not: not, Values: []string{value}}, value)
}

// quoted is a value as nft prints it: names of interfaces have quotes.
func quoted(f field, value string) string {
	if f.key == iifname.key || f.key == oifname.key {
		return `"` + value + `"`
	}
	return value
}

// lookup reads a lookup in a set, a verdict map, or another map.
func (u *understanding) lookup(e *expr.Lookup) error {
	set, err := u.set(place{u.raw.in.family, u.raw.in.table, e.SetName})
	if err != nil {
		return err
	}
	decides := e.IsDestRegSet && e.DestRegister == unix.NFT_REG_VERDICT
	fields := u.fieldsFrom(e.SourceRegister, set.keyLen)
	if e.IsDestRegSet && !decides {
		delete(u.registers, slot(e.DestRegister))
	}
	u.condition()
	outcomes, values, known := u.elements(set, fields)
	switch {
	case !known || set.strange || e.Invert && len(fields) > 1 || u.outcomes != nil:
		u.unknown("lookup")
		if decides {
			u.outcomes, u.mapped = outcomes, nil // its possible outcomes, for which no earlier map has values
		}
		return nil
	case e.IsDestRegSet && !decides:
		u.outcomes = outcomes
		for _, f := range fields {
			u.implied(f.text())
		}
		u.mapped = &mapped{at: slot(e.DestRegister), set: set, text: lookupText(fields, "map", setText(e, set, values))}
		return nil
	case decides || len(fields) > 1:
		u.outcomes = outcomes
		u.sayLookup(fields, e, set, decides, values)
	default:
		operator := ""
		if e.Invert {
			operator = "!= "
		}
		plain := make([]string, 0, len(outcomes))
		for _, o := range outcomes {
			plain = append(plain, o.Matches[0].Values...)
		}
		u.match(fields[0], operator, state.FilterMatch{Not: e.Invert, Values: plain}, setText(e, set, values))
	}
	return nil
}

// fieldsFrom are the fields in the registers of a key of this length; nil if one is unknown.
func (u *understanding) fieldsFrom(number uint32, length int) (fields []field) {
	for at := slot(number); length > 0; {
		r := u.registers[at]
		if len(r.fields) != 1 || r.mask != nil {
			return nil
		}
		fields = append(fields, r.fields[0])
		at += uint32(align(r.fields[0].size) / 4)
		length -= align(r.fields[0].size)
	}
	return fields
}

// elements are the elements of a set, as outcomes and as text.
func (u *understanding) elements(set *filterSet, fields []field) (outcomes []state.FilterRule, words []string,
	known bool) {
	known = len(fields) > 0
	outcomes = make([]state.FilterRule, 0, len(set.elements))
	others := []string{} // the values before the catchall element, of a single field
	for _, e := range set.elements {
		outcome := state.FilterRule{Verdict: e.verdict.word, Target: e.verdict.target}
		var parts []string
		at := 0
		for _, f := range fields {
			if e.catchall {
				parts = append(parts, "*")
				if len(fields) == 1 {
					outcome.Matches = append(outcome.Matches, state.FilterMatch{Key: f.key, Not: true, Values: others})
				}
				known = known && len(fields) == 1 && (e.verdict.word != "" || e.data != nil)
				break
			}
			if at+f.size > len(e.low) || at+f.size > len(e.high) {
				known = false
				break
			}
			value := f.span(u.ruleset, e.low[at:at+f.size], e.high[at:at+f.size])
			known = known && value != ""
			outcome.Matches = append(outcome.Matches, state.FilterMatch{Key: f.key, Values: []string{value}})
			others = append(others, value)
			parts = append(parts, quoted(f, value))
			at += align(f.size)
		}
		text := strings.Join(parts, " . ")
		switch {
		case e.verdict.word != "":
			text += " : " + strings.TrimSpace(e.verdict.word+" "+e.verdict.target)
		case e.data != nil:
			text += " : " + dataText(e.data)
		}
		outcomes, words = append(outcomes, outcome), append(words, text)
	}
	return outcomes, words, known
}

// sayLookup adds the text of a lookup with several fields, or in a verdict map.
func (u *understanding) sayLookup(fields []field, e *expr.Lookup, set *filterSet, decides bool, values []string) {
	for _, f := range fields {
		u.implied(f.text())
	}
	u.say(lookupText(fields, map[bool]string{true: "vmap", false: ""}[decides], setText(e, set, values)))
}

// lookupText is a lookup as nft prints it.
func lookupText(fields []field, kind, set string) string {
	var keys []string
	for _, f := range fields {
		keys = append(keys, f.text())
	}
	if kind != "" {
		kind += " "
	}
	return strings.Join(keys, " . ") + " " + kind + set
}

// setText is the name of a set, or the elements of an anonymous set.
func setText(e *expr.Lookup, set *filterSet, values []string) string {
	if set.flags&unix.NFT_SET_ANONYMOUS == 0 {
		return "@" + e.SetName
	}
	return fmt.Sprintf("{ %s }", strings.Join(slices.Clone(values), ", "))
}
