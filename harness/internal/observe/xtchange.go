package observe

import (
	"fmt"

	"netnscheck/harness/state"
)

// xtChange reads the targets of xtables that mark packets or exempt them from connection tracking, after which the
// packet meets the next rule.
func (u *understanding) xtChange(name string, revision uint32, info []byte) bool {
	switch {
	case name == "MARK" && revision == 2 && len(info) >= 8:
		u.xtMarks(mark, native.Uint32(info), native.Uint32(info[4:]))
	case name == "CONNMARK" && revision >= 1 && len(info) >= 13:
		return u.xtMarksConnection(revision, info)
	case name == "NOTRACK", name == "CT" && len(info) >= 2 && native.Uint16(info)&1 != 0:
		u.change(state.FilterChange{Key: "notrack"}, "notrack")
	default:
		return false
	}
	return true
}

// xtMarks is the change of a mark: without the bits of the mask, then exclusive or with the value (mark_tg(),
// net/netfilter/xt_mark.c).
func (u *understanding) xtMarks(f field, value, mask uint32) {
	c := state.FilterChange{Key: f.key, Value: fmt.Sprintf("0x%08x", value), Keep: ^mask}
	text := c.Value
	if c.Keep != 0 {
		text = fmt.Sprintf("%s & 0x%08x ^ %s", f.text(), c.Keep, c.Value)
	}
	u.change(c, f.text()+" set "+text)
}

// xtMarksConnection reads struct xt_connmark_tginfo1 and 2: the value and the mask of the connection's mark, the mask
// of the packet's mark, from revision 2 on by how many bits they are shifted, and what is done. What is saved or
// restored is not known from the rule.
func (u *understanding) xtMarksConnection(revision uint32, info []byte) bool {
	const set, save, restore = 0, 1, 2
	mode, shifted := info[12], false
	if revision > 1 {
		if len(info) < 15 {
			return false
		}
		mode, shifted = info[14], info[13] != 0
	}
	switch mode {
	case set:
		if shifted {
			return false
		}
		u.xtMarks(ctMark, native.Uint32(info), native.Uint32(info[4:]))
	case save:
		u.change(state.FilterChange{Key: ctMark.key}, "ct mark set meta mark")
	case restore:
		u.change(state.FilterChange{Key: mark.key}, "meta mark set ct mark")
	default:
		return false
	}
	return true
}
