package observe

import (
	"fmt"

	"github.com/vishvananda/netlink/nl"

	"netnscheck/harness/state"
)

// parseTCActions reads the actions of a filter, in their order.
func (r *reading) parseTCActions(data []byte) (all []state.TCAction) {
	attributes(data, func(_ uint16, data []byte) {
		var a state.TCAction
		var options []byte
		attributes(data, func(kind uint16, data []byte) {
			switch kind {
			case nl.TCA_ACT_KIND:
				a.Kind = text(data)
			case nl.TCA_ACT_OPTIONS:
				options = data
			}
		})
		parts := map[uint16][]byte{}
		attributes(options, func(kind uint16, data []byte) { parts[kind] = data })
		switch a.Kind {
		case "gact":
			gact(&a, parts)
		case "mirred":
			r.mirred(&a, parts)
		case "pedit":
			pedit(&a, parts)
		default:
			a.NotUnderstood = []string{"action " + a.Kind}
		}
		all = append(all, a)
	})
	return all
}

// tcVerdict is the word for the verdict of an action (TC_ACT_… in linux/pkt_cls.h).
func tcVerdict(code int32) string {
	const jump, gotoChain = 1, 2 // in the four highest bits
	words := []string{"continue", "pass", "reclassify", "drop", "pipe", "stolen", "queued", "repeat", "redirect",
		"trap"}
	switch {
	case int(code)+1 >= 0 && int(code)+1 < len(words):
		return words[code+1]
	case code>>28 == jump:
		return fmt.Sprint("jump ", code&0xfffffff)
	case code>>28 == gotoChain:
		return fmt.Sprint("goto chain ", code&0xfffffff)
	}
	return fmt.Sprint(code)
}

// gact reads struct tc_gact, which begins as all actions do: index, capabilities, verdict.
func gact(a *state.TCAction, parts map[uint16][]byte) {
	parms := parts[nl.TCA_GACT_PARMS]
	if len(parms) < 20 {
		a.NotUnderstood = []string{"action gact"}
		return
	}
	a.Verdict = tcVerdict(int32(native.Uint32(parms[8:])))
	if _, at := parts[nl.TCA_GACT_PROB]; at {
		a.NotUnderstood = []string{"gact random"}
	}
}

// mirred reads struct tc_mirred: the beginning of all actions, then what to do and the link.
func (r *reading) mirred(a *state.TCAction, parts map[uint16][]byte) {
	const blockID = 4 // TCA_MIRRED_BLOCKID, since Linux 6.8
	words := map[uint32]string{1: "egress redirect", 2: "egress mirror", 3: "ingress redirect", 4: "ingress mirror"}
	parms := parts[nl.TCA_MIRRED_PARMS]
	if len(parms) < 28 {
		a.NotUnderstood = []string{"action mirred"}
		return
	}
	a.Verdict = tcVerdict(int32(native.Uint32(parms[8:])))
	a.Mirror, a.Dev = words[native.Uint32(parms[20:])], r.name(int(native.Uint32(parms[24:])))
	if _, to := parts[blockID]; to || a.Mirror == "" {
		a.NotUnderstood = []string{"mirred to a block"}
	}
}

func pedit(a *state.TCAction, parts map[uint16][]byte) {
	const plain, extended, keys = 2, 4, 5 // TCA_PEDIT_PARMS, _PARMS_EX, _KEYS_EX
	selector := parts[plain]
	if selector == nil {
		selector = parts[extended]
	}
	verdict, headers, simple := editKeys(selector, parts[keys])
	a.Verdict = tcVerdict(verdict)
	sets, all := edited(headers)
	a.Sets = sets
	if !simple || !all {
		a.NotUnderstood = []string{"pedit"}
	}
}
