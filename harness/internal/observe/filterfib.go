package observe

import (
	"strings"

	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"
)

// fibField is the type of an address, regardless of the link, or the link that the route to an address leads out of;
// not ok for any other lookup.
func fibField(e *expr.Fib) (field, bool) {
	if e.FlagSADDR == e.FlagDADDR {
		return field{}, false
	}
	if e.ResultADDRTYPE {
		return map[bool]field{true: saddrType, false: daddrType}[e.FlagSADDR], !e.FlagIIF && !e.FlagOIF && !e.FlagMARK
	}
	return routeField(e), true
}

// routeField is the link of the route to an address: `fib saddr . iif oif`.
func routeField(e *expr.Fib) field {
	keys := []string{map[bool]string{true: "saddr", false: "daddr"}[e.FlagSADDR]}
	for _, f := range []struct {
		set  bool
		word string
	}{{e.FlagMARK, "mark"}, {e.FlagIIF, "iif"}, {e.FlagOIF, "oif"}} {
		if f.set {
			keys = append(keys, f.word)
		}
	}
	f := field{key: "fib " + strings.Join(keys, " . ") + " oif", size: 4, value: indexValue}
	switch {
	case e.FlagPRESENT:
		f.value = func(_ *ruleset, data []byte) string {
			return map[uint64]string{0: "missing", 1: "exists"}[number(data)]
		}
	case e.ResultOIFNAME:
		f.size, f.words = unix.IFNAMSIZ, f.key+"name"
		f.value = func(s *ruleset, data []byte) string {
			if name := nameValue(s, data); name != "" {
				return name
			}
			return "missing"
		}
	default:
		f.value = func(s *ruleset, data []byte) string {
			if number(data) == 0 {
				return "missing"
			}
			return indexValue(s, data)
		}
	}
	return f
}
