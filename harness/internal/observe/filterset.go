package observe

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"slices"

	"golang.org/x/sys/unix"
)

// filterSet is a set or map of nf_tables.
type filterSet struct {
	flags    uint32
	keyLen   int
	read     bool
	elements []element
	// strange is set if elements have statements of their own (such as a limit), or are added by packets.
	strange bool
}

// element is a key or range of keys, with its value in a map.
type element struct {
	low, high []byte
	catchall  bool
	verdict   verdict
	data      []byte // in a map with other values
}

// verdict is the verdict of a rule or of an element of a verdict map.
type verdict struct{ word, target string }

const (
	setConcat       = 0x80 // NFT_SET_CONCAT
	elementKeyEnd   = 10   // NFTA_SET_ELEM_KEY_END
	elementExprs    = 11   // NFTA_SET_ELEM_EXPRESSIONS
	elementEnd      = 1    // NFT_SET_ELEM_INTERVAL_END
	elementCatchall = 2    // NFT_SET_ELEM_CATCHALL
)

func (s *ruleset) readSets() error {
	return s.list(unix.NFT_MSG_GETSET, make([]byte, sizeofNFGen), func(family byte, attrs []byte) {
		set, at := &filterSet{}, place{family: family}
		attributes(attrs, func(kind uint16, data []byte) {
			switch kind {
			case unix.NFTA_SET_TABLE:
				at.table = text(data)
			case unix.NFTA_SET_NAME:
				at.name = text(data)
			case unix.NFTA_SET_FLAGS:
				set.flags = big(data)
			case unix.NFTA_SET_KEY_LEN:
				set.keyLen = int(big(data))
			}
		})
		s.sets[at] = set
	})
}

// set is a set with its elements, which are read on first use.
func (s *ruleset) set(at place) (*filterSet, error) {
	set := s.sets[at]
	if set == nil {
		return nil, errChanged
	}
	if set.read {
		return set, nil
	}
	if set.flags&unix.NFT_SET_EVAL != 0 {
		set.read, set.strange = true, true
		return set, nil
	}
	question := []byte{at.family, 0, 0, 0}
	question = attribute(question, unix.NFTA_SET_ELEM_LIST_TABLE, append([]byte(at.table), 0))
	question = attribute(question, unix.NFTA_SET_ELEM_LIST_SET, append([]byte(at.name), 0))
	var found []rawElement
	err := s.list(unix.NFT_MSG_GETSETELEM, question, func(_ byte, attrs []byte) {
		attributes(attrs, func(kind uint16, data []byte) {
			if kind == unix.NFTA_SET_ELEM_LIST_ELEMENTS {
				attributes(data, func(_ uint16, data []byte) { found = append(found, parseElement(data)) })
			}
		})
	})
	if err != nil {
		return nil, err
	}
	set.read = true
	set.strange = slices.ContainsFunc(found, func(e rawElement) bool { return e.strange })
	set.elements = intervals(found, set.flags&unix.NFT_SET_INTERVAL != 0 && set.flags&setConcat == 0)
	return set, nil
}

type rawElement struct {
	element
	end, strange bool
}

func parseElement(data []byte) rawElement {
	var e rawElement
	attributes(data, func(kind uint16, data []byte) {
		switch kind {
		case unix.NFTA_SET_ELEM_KEY:
			e.low = dataValue(data)
		case elementKeyEnd:
			e.high = dataValue(data)
		case unix.NFTA_SET_ELEM_FLAGS:
			e.end = big(data)&elementEnd != 0
			e.catchall = big(data)&elementCatchall != 0
		case unix.NFTA_SET_ELEM_DATA:
			e.verdict, e.data = dataVerdict(data), dataValue(data)
		case unix.NFTA_SET_ELEM_EXPR:
			e.strange = e.strange || expressionName(data) != "counter"
		case elementExprs:
			attributes(data, func(_ uint16, data []byte) { e.strange = e.strange || expressionName(data) != "counter" })
		}
	})
	if e.high == nil {
		e.high = e.low
	}
	return e
}

// dataValue is the value in a nested NFTA_DATA_VALUE.
func dataValue(data []byte) (value []byte) {
	attributes(data, func(kind uint16, data []byte) {
		if kind == unix.NFTA_DATA_VALUE {
			value = data
		}
	})
	return value
}

// dataVerdict is the verdict in a nested NFTA_DATA_VERDICT.
func dataVerdict(data []byte) (v verdict) {
	attributes(data, func(kind uint16, data []byte) {
		if kind != unix.NFTA_DATA_VERDICT {
			return
		}
		attributes(data, func(kind uint16, data []byte) {
			switch kind {
			case unix.NFTA_VERDICT_CODE:
				v.word = verdictWord(int32(big(data)))
			case unix.NFTA_VERDICT_CHAIN:
				v.target = text(data)
			}
		})
	})
	return v
}

// intervals sorts elements. In a set of intervals, each element is the beginning of an interval that extends to the
// next element; an element with the end flag begins none.
func intervals(found []rawElement, halfOpen bool) []element {
	slices.SortStableFunc(found, func(a, b rawElement) int {
		order := cmp.Or(boolOrder(a.catchall, b.catchall), bytes.Compare(a.low, b.low))
		return cmp.Or(order, -boolOrder(a.end, b.end))
	})
	var all []element
	for i, e := range found {
		if e.end {
			continue
		}
		if halfOpen && !e.catchall {
			e.high = bytes.Repeat([]byte{0xff}, len(e.low))
			if i+1 < len(found) && !found[i+1].catchall {
				e.high = before(found[i+1].low)
			}
		}
		all = append(all, e.element)
	}
	return all
}

// boolOrder orders false before true.
func boolOrder(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}

// before is the preceding number, in network order.
func before(number []byte) []byte {
	out := bytes.Clone(number)
	for i := len(out) - 1; i >= 0; i-- {
		out[i]--
		if out[i] != 0xff {
			break
		}
	}
	return out
}

// after is the following number, in network order.
func after(number []byte) []byte {
	out := bytes.Clone(number)
	for i := len(out) - 1; i >= 0; i-- {
		out[i]++
		if out[i] != 0 {
			break
		}
	}
	return out
}

// verdictWord is nft's word for a verdict; "" for continue and for unknown verdicts.
func verdictWord(code int32) string {
	switch code {
	case 0:
		return "drop"
	case 1:
		return "accept"
	case -3:
		return "jump"
	case -4:
		return "goto"
	case -5:
		return "return"
	}
	return ""
}

// comment is the comment in the user data of a rule: type, length, value.
func comment(userdata []byte) string {
	for len(userdata) >= 2 && len(userdata) >= 2+int(userdata[1]) {
		value := userdata[2 : 2+int(userdata[1])]
		if userdata[0] == 0 {
			return text(value)
		}
		userdata = userdata[2+len(value):]
	}
	return ""
}

func port(data []byte) uint16 {
	if len(data) < 2 {
		return 0
	}
	return binary.BigEndian.Uint16(data)
}
