package operation

import (
	"fmt"
	"math"
	"net"
	"strconv"
	"strings"
)

// The functions in this file read one value each; keyword is the keyword before it, for messages.

// text takes any word.
func text(_, value string) (string, error) { return value, nil }

// name reads the name of a link, a namespace or the like. The kernel checks whether it is valid.
func name(keyword, value string) (string, error) {
	if value == "" {
		return "", usage(keyword, "the name after it is empty")
	}
	return value, nil
}

// number reads an integer like strtol(3) with base 0: decimal, 0x for base 16, 0 for base 8.
func number(value string, low, high int64) (int64, bool) {
	digits, negative := value, false
	if digits != "" && (digits[0] == '-' || digits[0] == '+') {
		digits, negative = digits[1:], digits[0] == '-'
	}
	base := 10
	switch {
	case strings.HasPrefix(digits, "0x"), strings.HasPrefix(digits, "0X"):
		digits, base = digits[2:], 16
	case len(digits) > 1 && digits[0] == '0':
		base = 8
	}
	n, err := strconv.ParseUint(digits, base, 63)
	if err != nil {
		return 0, false
	}
	signed := int64(n)
	if negative {
		signed = -signed
	}
	return signed, signed >= low && signed <= high
}

// between reads an integer from low to high.
func between(low, high int64) func(keyword, value string) (int, error) {
	return func(keyword, value string) (int, error) {
		n, ok := number(value, low, high)
		if !ok {
			return 0, usage(value, "%s takes a whole number from %d to %d", keyword, low, high)
		}
		return int(n), nil
	}
}

var (
	integer = between(math.MinInt32, math.MaxInt32)
	natural = between(0, math.MaxUint32)
	uint8s  = between(0, math.MaxUint8)
	uint16s = between(0, math.MaxUint16)
)

func unsigned32(keyword, value string) (uint32, error) {
	n, err := natural(keyword, value)
	return uint32(n), err
}

func unsigned16(keyword, value string) (uint16, error) {
	n, err := uint16s(keyword, value)
	return uint16(n), err
}

// nonZero reads a number as a switch: 0 is off, any other is on.
func nonZero(keyword, value string) (bool, error) {
	n, err := uint8s(keyword, value)
	return n != 0, err
}

func onOff(keyword, value string) (bool, error) {
	switch value {
	case "on":
		return true, nil
	case "off":
		return false, nil
	}
	return false, usage(value, "%s takes on or off", keyword)
}

// oneOf reads one word of a list.
func oneOf(list ...string) func(keyword, value string) (string, error) {
	return func(keyword, value string) (string, error) {
		for _, word := range list {
			if word == value {
				return value, nil
			}
		}
		return "", usage(value, "%s takes %s", keyword, strings.Join(list, ", "))
	}
}

// hardwareAddress reads bytes in base 16 separated by colons, or four decimal ones separated by dots. The right number
// of bytes depends on the link, so the kernel checks it.
func hardwareAddress(keyword, value string) (net.HardwareAddr, error) {
	if ip, ok := parseIPv4(value); ok && strings.Contains(value, ".") {
		b := ip.As4()
		return net.HardwareAddr(b[:]), nil
	}
	var address net.HardwareAddr
	for _, part := range strings.Split(value, ":") {
		b, err := strconv.ParseUint(part, 16, 8)
		if err != nil || len(part) > 2 {
			return nil, usage(value, "%s takes a link-layer address such as 02:00:00:00:00:01", keyword)
		}
		address = append(address, byte(b))
	}
	if len(address) > 32 {
		return nil, usage(value, "it is too long for a link-layer address")
	}
	return address, nil
}

// named understands the numbers of a table that have names, such as routing tables, up to the highest. Numbers become
// names where there is one.
type named struct {
	Names
	high int64
}

func (t named) understand(keyword, value string) (string, error) {
	if _, ok := t.Number(value); ok {
		return value, nil
	}
	n, ok := number(value, 0, t.high)
	if !ok {
		return "", usage(value, "%s takes a known name or a number from 0 to %d", keyword, t.high)
	}
	return t.Name(uint32(n)), nil
}

var (
	tables = named{Tables, math.MaxUint32}
	scopes = named{Scopes, math.MaxUint8}
	protos = named{Protocols, math.MaxUint8}
	// preferences are those of IPv6 routers (RFC 4191).
	preferences = named{names(map[uint32]string{0: "medium", 1: "high", 3: "low"}), math.MaxUint8}
	groups      = named{names(map[uint32]string{0: "default"}), math.MaxInt32}
)

func groupNumber(keyword, value string) (uint32, error) {
	if value == "default" {
		return 0, nil
	}
	n, ok := number(value, 0, groups.high)
	if !ok {
		return 0, usage(value, "%s takes a number or default", keyword)
	}
	return uint32(n), nil
}

// typeOfService reads a number in base 16. Its names depend on a configuration file and are not known here.
func typeOfService(keyword, value string) (uint8, error) {
	if value == "default" {
		return 0, nil
	}
	n, err := strconv.ParseUint(strings.TrimPrefix(value, "0x"), 16, 8)
	if err != nil {
		return 0, usage(value, "%s takes a number in base 16 up to ff", keyword)
	}
	return uint8(n), nil
}

func formatTypeOfService(tos uint8) string { return fmt.Sprintf("0x%02x", tos) }
