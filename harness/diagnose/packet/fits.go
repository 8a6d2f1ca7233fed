package packet

import (
	"net/netip"
	"strconv"
	"strings"
)

// Fits reports whether a value matches another one: a name (with * at its end, any that begins so), a prefix, a
// range, a number, or a number and the mask under which it is compared.
func Fits(value, want string) bool {
	if value == want {
		return true
	}
	if begin, ok := strings.CutSuffix(want, "*"); ok && strings.HasPrefix(value, begin) {
		return true
	}
	if p, err := netip.ParsePrefix(want); err == nil {
		a, err := netip.ParseAddr(value)
		return err == nil && p.Contains(a)
	}
	if bits, mask, ok := strings.Cut(want, "/"); ok {
		return masked(value, bits, mask)
	}
	if from, to, ok := strings.Cut(want, "-"); ok {
		return between(value, from, to)
	}
	x, err1 := strconv.ParseUint(value, 0, 64)
	y, err2 := strconv.ParseUint(want, 0, 64)
	return err1 == nil && err2 == nil && x == y
}

func masked(value, bits, mask string) bool {
	x, err := strconv.ParseUint(value, 0, 64)
	y, err1 := strconv.ParseUint(bits, 0, 64)
	m, err2 := strconv.ParseUint(mask, 0, 64)
	return err == nil && err1 == nil && err2 == nil && x&m == y
}

func between(value, from, to string) bool {
	a, err := netip.ParseAddr(value)
	low, err1 := netip.ParseAddr(from)
	high, err2 := netip.ParseAddr(to)
	if err == nil && err1 == nil && err2 == nil {
		return a.Compare(low) >= 0 && a.Compare(high) <= 0
	}
	x, err := strconv.ParseUint(value, 0, 64)
	y, err1 := strconv.ParseUint(from, 0, 64)
	z, err2 := strconv.ParseUint(to, 0, 64)
	return err == nil && err1 == nil && err2 == nil && x >= y && x <= z
}

// PortFits is oneFits for a port of a policy rule.
func PortFits(want string, p uint16) bool { return Fits(strconv.Itoa(int(p)), want) }
