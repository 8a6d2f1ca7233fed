package operation

import (
	"net/netip"
	"reflect"
	"slices"
	"strconv"
)

// Argv renders the command for the real program, without abbreviations. Parse turns it back into the same command.
func (c Command) Argv() []string {
	switch op := c.Op.(type) {
	case Ping, SysctlSet, SysctlShow, Run:
		if c.Netns == "" {
			return op.args()
		}
		return append([]string{"ip", "netns", "exec", c.Netns}, op.args()...)
	}
	var out []string
	switch {
	case c.Netns == "":
		out = []string{"ip"}
	case c.Exec:
		out = []string{"ip", "netns", "exec", c.Netns, "ip"}
	default:
		out = []string{"ip", "-n", c.Netns}
	}
	if c.Op == nil {
		return out
	}
	return append(out, c.Op.args()...)
}

// Mutates reports whether the command may change the state of a namespace. It is true for an unknown program.
func Mutates(c Command) bool {
	switch c.Op.(type) {
	case Show, SysctlShow, Ping, nil:
		return false
	}
	return true
}

func (op Run) args() []string { return slices.Clone(op.Argv) }

func equal(a, b Operation) bool { return reflect.DeepEqual(a, b) }

// argv collects words; options that were not written add none.
type argv []string

func (out *argv) word(keyword, value string) {
	if value != "" {
		*out = append(*out, keyword, value)
	}
}

func (out *argv) text(keyword string, value *string) {
	if value != nil {
		*out = append(*out, keyword, *value)
	}
}

func (out *argv) int(keyword string, value *int) {
	if value != nil {
		*out = append(*out, keyword, strconv.Itoa(*value))
	}
}

func (out *argv) uint32(keyword string, value *uint32) {
	if value != nil {
		*out = append(*out, keyword, strconv.FormatUint(uint64(*value), 10))
	}
}

func (out *argv) flag(keyword string, set bool) {
	if set {
		*out = append(*out, keyword)
	}
}

func (out *argv) choice(yes, no string, value *bool) {
	if value != nil {
		out.flag(yes, *value)
		out.flag(no, !*value)
	}
}

func (out *argv) onOff(keyword string, value *bool) {
	if value != nil {
		*out = append(*out, keyword)
		out.choice("on", "off", value)
	}
}

func (out *argv) zeroOne(keyword string, value *bool) {
	if value != nil {
		*out = append(*out, keyword)
		out.choice("1", "0", value)
	}
}

func (out *argv) addr(keyword string, value netip.Addr) {
	if value.IsValid() {
		*out = append(*out, keyword, value.String())
	}
}

func (out *argv) prefix(keyword string, value netip.Prefix) {
	if value.IsValid() {
		*out = append(*out, keyword, value.String())
	}
}

// family adds the option -4 or -6 unless the first valid address implies it.
func (out *argv) family(family Family, addrs ...netip.Addr) {
	said := FamilyAny
	for _, a := range addrs {
		if a.IsValid() {
			said = familyOf(a)
			break
		}
	}
	switch {
	case said == family:
	case family == FamilyV4:
		*out = append(*out, "-4")
	case family == FamilyV6:
		*out = append(*out, "-6")
	}
}

func nonZeroOrNil(n int) *int {
	if n == 0 {
		return nil
	}
	return &n
}
