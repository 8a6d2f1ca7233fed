package operation

import (
	"net/netip"
	"strings"
)

// anyWords stand for a prefix of length 0 in the family of the command, if that is known already.
var anyWords = map[string]bool{"default": true, "all": true, "any": true}

// parseIPv4 reads one to four numbers separated by dots, each in base 8, 10 or 16; missing ones are 0.
func parseIPv4(text string) (netip.Addr, bool) {
	var bytes [4]byte
	parts := strings.Split(text, ".")
	if len(parts) > len(bytes) {
		return netip.Addr{}, false
	}
	for i, part := range parts {
		n, ok := number(part, 0, 255)
		if !ok || part[0] == '+' || part[0] == '-' {
			return netip.Addr{}, false
		}
		bytes[i] = byte(n)
	}
	return netip.AddrFrom4(bytes), true
}

func parseIP(text string) (netip.Addr, bool) {
	if !strings.Contains(text, ":") {
		return parseIPv4(text)
	}
	addr, err := netip.ParseAddr(text)
	return addr, err == nil && addr.Zone() == ""
}

// familyOf is the family of an address, FamilyAny if it is not valid.
func familyOf(addr netip.Addr) Family {
	switch {
	case !addr.IsValid():
		return FamilyAny
	case addr.Is4():
		return FamilyV4
	}
	return FamilyV6
}

// looksLikeAddress distinguishes a malformed address from a misspelt keyword.
func looksLikeAddress(word string) bool {
	return word == "" || word[0] >= '0' && word[0] <= '9' || strings.ContainsAny(word, ":./")
}

// bits reads a prefix length or an IPv4 netmask.
func bits(text string, longest int) (int, bool) {
	if n, ok := number(text, 0, int64(longest)); ok && text[0] != '-' {
		return int(n), true
	}
	mask, ok := parseIPv4(text)
	if !ok || !strings.Contains(text, ".") {
		return 0, false
	}
	length := 0
	ended := false
	for _, b := range mask.As4() {
		for bit := 7; bit >= 0; bit-- {
			set := b>>bit&1 == 1
			if set && ended {
				return 0, false
			}
			ended = ended || !set
			if set {
				length++
			}
		}
	}
	return length, length <= longest
}

// prefix reads an address with an optional prefix length (by default the full length) and sets the family of the
// command. all, any and default are the prefix of length 0 of that family, not valid if the family is unknown.
func (w *words) prefix(keyword, value string) (netip.Prefix, error) {
	if anyWords[value] {
		switch w.family {
		case FamilyV4:
			return netip.PrefixFrom(netip.IPv4Unspecified(), 0), nil
		case FamilyV6:
			return netip.PrefixFrom(netip.IPv6Unspecified(), 0), nil
		}
		return netip.Prefix{}, nil
	}
	address, length, hasLength := strings.Cut(value, "/")
	addr, err := w.address(keyword, address)
	if err != nil {
		if e, ok := err.(*UsageError); ok {
			e.Word = value
		}
		return netip.Prefix{}, err
	}
	n := addr.BitLen()
	if hasLength {
		var ok bool
		if n, ok = bits(length, addr.BitLen()); !ok {
			return netip.Prefix{}, usage(value, "the prefix length must be from 0 to %d", addr.BitLen())
		}
	}
	return netip.PrefixFrom(addr, n), nil
}

// address reads an address and sets the family of the command.
func (w *words) address(keyword, value string) (netip.Addr, error) {
	addr, ok := parseIP(value)
	if !ok {
		return netip.Addr{}, usage(value, "%s takes an IP address", keyword)
	}
	if w.family != FamilyAny && w.family != familyOf(addr) {
		return netip.Addr{}, usage(value, "the command is about IPv%d", int(w.family))
	}
	w.family = familyOf(addr)
	return addr, nil
}

// destination reads a word that is not a keyword as a prefix. The error distinguishes a bad address from a misspelt
// keyword.
func (w *words) destination(g grammar, word string) (netip.Prefix, error) {
	if !anyWords[word] && !looksLikeAddress(word) {
		return netip.Prefix{}, g.unknown(word)
	}
	return w.prefix("this place", word)
}
