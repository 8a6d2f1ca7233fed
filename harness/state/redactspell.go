package state

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"math/big"
	"net"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Text replaces the addresses in a text, such as a name, in any spelling: as usual, expanded, in capitals, with other
// separators (`10-77-1-5`, `52-54-00-aa-bb-cc`, `5254.00aa.bbcc`), without any (`enx525400aabbcc`), as a name for a
// reverse lookup, in hex. Spellings that could be any other number, such as an address in decimal, are replaced only if
// the state contains that address.
func (r *Redaction) Text(s string) string {
	return r.spelled(s, func(between string) string { return between })
}

// candidates matches the parts of a text that can contain addresses: an address has at least seven of these characters,
// or two colons.
var candidates = regexp.MustCompile(
	`(?:[0-9A-Fa-f]\.){1,32}(?i:ip6\.arpa)|(?:[0-9]{1,3}\.){1,4}(?i:in-addr\.arpa)|` +
		`[0-9A-Fa-fxX:._/-]{7,}(?i:ip6\.arpa|in-addr\.arpa)?|[0-9A-Fa-f:]*::[0-9A-Fa-f:.]*`)

// spelled replaces the addresses in a text, and applies a function to the text between them.
func (r *Redaction) spelled(s string, between func(string) string) string {
	var b strings.Builder
	done := 0 // s is written up to here
	for _, at := range candidates.FindAllStringIndex(s, -1) {
		word := s[at[0]:at[1]]
		for i := 0; i < len(word); {
			n, by := r.at(word, i)
			if n == 0 {
				i++
				continue
			}
			b.WriteString(between(s[done:at[0]+i]) + by)
			i += n
			done = at[0] + i
		}
	}
	return b.String() + between(s[done:])
}

// spelling reads an address at the beginning of a text and spells its replacement in the same way; length is 0 if there
// is none. before is the character before the text.
type spelling func(r *Redaction, before byte, text string) (length int, by string)

// at tries all spellings at a position of a word; one that could be a part of another is tried after it.
func (r *Redaction) at(word string, i int) (int, string) {
	before := byte(' ')
	if i > 0 {
		before = word[i-1]
	}
	for _, read := range []spelling{reverse6, reverse4, pairs(9, ":-._"), colons6, dashes6, pairs(5, ":-._"), decimal4,
		prefixed4, pairs(4, ":-._"), quads, bare} {
		if n, by := read(r, before, word[i:]); n > 0 {
			return n, by
		}
	}
	return 0, ""
}

func isHex(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F'
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// next reports whether the character of a text at a position exists and fits.
func next(text string, length int, fits func(byte) bool) bool {
	return length < len(text) && fits(text[length])
}

// alikeCase gives hex digits the case of the original.
func alikeCase(was, by string) string {
	if strings.ContainsAny(was, "ABCDEF") && !strings.ContainsAny(was, "abcdef") {
		return strings.ToUpper(by)
	}
	return by
}

// colons6 is an IPv6 address in the usual form, with or without a prefix length: the longest one that begins here.
func colons6(r *Redaction, _ byte, text string) (int, string) {
	const longest = len("ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255")
	colon := strings.IndexByte(text, ':')
	if colon < 0 || colon > 4 || !isHex(text[0]) && text[0] != ':' {
		return 0, ""
	}
	for n := min(longest, len(text)); n > 1; n-- {
		a, err := netip.ParseAddr(text[:n])
		if err != nil || next(text, n, isDigit) {
			continue
		}
		if length, bits := prefixLength(text[n:], 128); length > 0 {
			return n + length, form6(text[:n], a, r.Prefix(netip.PrefixFrom(a, bits)).Addr()) + text[n:n+length]
		}
		return n, form6(text[:n], a, r.Addr(a))
	}
	return 0, ""
}

// form6 spells an IPv6 address like the one it replaces, in full if that was; an address that is kept keeps its
// spelling.
func form6(text string, was, by netip.Addr) string {
	switch {
	case was == by:
		return text
	case strings.EqualFold(text, was.StringExpanded()):
		return alikeCase(text, by.StringExpanded())
	}
	return alikeCase(text, by.String())
}

// prefixLength reads /N, up to most; length is 0 if there is none.
func prefixLength(text string, most int) (length, bits int) {
	if text == "" || text[0] != '/' {
		return 0, 0
	}
	end := 1
	for next(text, end, isDigit) {
		end++
	}
	bits, err := strconv.Atoi(text[1:end])
	if err != nil || bits > most {
		return 0, 0
	}
	return end, bits
}

// decimals are four numbers with the same separator.
var decimals = regexp.MustCompile(`^(\d{1,3})(?:\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})|-(\d{1,3})-(\d{1,3})-(\d{1,3})|` +
	`_(\d{1,3})_(\d{1,3})_(\d{1,3})|/(\d{1,3})/(\d{1,3})/(\d{1,3}))`)

func decimal4(r *Redaction, before byte, text string) (int, string) {
	if isDigit(before) || !isDigit(text[0]) {
		return 0, ""
	}
	all := decimals.FindStringSubmatch(text)
	if all == nil || next(text, len(all[0]), isDigit) {
		return 0, ""
	}
	var four []byte
	for _, number := range all[1:] {
		if number == "" {
			continue
		}
		n, err := strconv.ParseUint(number, 10, 8)
		if err != nil {
			return 0, ""
		}
		four = append(four, byte(n))
	}
	n, separator := len(all[0]), all[0][len(all[1]):][:1]
	a := netip.AddrFrom4([4]byte(four))
	if separator == "." {
		if length, bits := prefixLength(text[n:], 32); length > 0 {
			return n + length, r.Prefix(netip.PrefixFrom(a, bits)).String()
		}
	}
	return n, strings.ReplaceAll(r.Addr(a).String(), ".", separator)
}

// prefixed4 is 0x0a.0x4d.0x01.0x05, as inet_aton(3) reads it.
func prefixed4(r *Redaction, before byte, text string) (int, string) {
	found := hexBytes.FindString(text)
	if isHex(before) || found == "" || next(text, len(found), isHex) {
		return 0, ""
	}
	var four [4]byte
	for i, number := range strings.Split(strings.ToLower(found), ".") {
		n, _ := strconv.ParseUint(number[2:], 16, 8)
		four[i] = byte(n)
	}
	by := r.Addr(netip.AddrFrom4(four)).As4()
	return len(found), fmt.Sprintf("0x%02x.0x%02x.0x%02x.0x%02x", by[0], by[1], by[2], by[3])
}

var hexBytes = regexp.MustCompile(`^0[xX][0-9A-Fa-f]{1,2}(?:\.0[xX][0-9A-Fa-f]{1,2}){3}`)

// pairs are at least so many bytes as pairs of hex digits, with one of the separators between them: a link-layer
// address of any length, or an IP address.
func pairs(least int, separators string) spelling {
	return func(r *Redaction, before byte, text string) (int, string) {
		if isHex(before) || len(text) < 3 || !strings.Contains(separators, text[2:3]) {
			return 0, ""
		}
		separator := text[2]
		var address []byte
		n := 0
		for n+2 <= len(text) && isHex(text[n]) && isHex(text[n+1]) {
			b, _ := hex.DecodeString(text[n : n+2])
			address = append(address, b...)
			n += 3
			if n > len(text) || text[n-1] != separator {
				break
			}
		}
		n = 3*len(address) - 1
		if len(address) < least || next(text, n, isHex) {
			return 0, ""
		}
		by := strings.ReplaceAll(net.HardwareAddr(r.hardware(address)).String(), ":", string(separator))
		return n, alikeCase(text[:n], by)
	}
}

// quads are three groups of four hex digits, the form of MAC addresses on Cisco devices. Without a letter they are an
// address only if it is known.
func quads(r *Redaction, before byte, text string) (int, string) {
	const n = len("5254.00aa.bbcc")
	if isHex(before) || len(text) < n || text[4] != text[9] || !strings.Contains(".-:_", text[4:5]) ||
		next(text, n, isHex) {
		return 0, ""
	}
	digits := text[0:4] + text[5:9] + text[10:14]
	by, ok := r.digits(digits)
	if !ok {
		return 0, ""
	}
	separator := text[4:5]
	return n, by[:4] + separator + by[4:8] + separator + by[8:]
}

// dashes6 is an IPv6 address with other separators: a known address, or one in full.
func dashes6(r *Redaction, before byte, text string) (int, string) {
	if isHex(before) || !isHex(text[0]) && text[0] != '-' && text[0] != '_' {
		return 0, ""
	}
	for _, separator := range []string{"-", "_"} {
		if at := strings.Index(text, separator); at < 0 || at > 4 {
			continue
		}
		colons := strings.ReplaceAll(text, separator, ":")
		for n := min(len("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"), len(text)); n > 1; n-- {
			a, err := netip.ParseAddr(colons[:n])
			if err != nil || next(text, n, isHex) || strings.ContainsAny(text[:n], ":.") {
				continue
			}
			if _, known := r.known[a]; known || strings.Count(colons[:n], ":") == 7 &&
				!strings.Contains(colons[:n], "::") {
				return n, strings.ReplaceAll(form6(colons[:n], a, r.Addr(a)), ":", separator)
			}
		}
	}
	return 0, ""
}

// bare is an address without separators, in hex or decimal.
func bare(r *Redaction, before byte, text string) (int, string) {
	n := 0
	for next(text, n, isHex) {
		n++
	}
	if n < 8 {
		return 0, ""
	}
	if !isHex(before) {
		if by, ok := r.digits(text[:n]); ok {
			return n, by
		}
		decimal := 0
		for next(text, decimal, isDigit) {
			decimal++
		}
		if by := r.tokens[text[:decimal]]; by != nil && decimal >= 8 {
			return decimal, by()
		}
	}
	for _, part := range []int{32, 12, 8} { // in a longer run
		if n >= part {
			if by := r.tokens["0x"+strings.ToLower(text[:part])]; by != nil {
				return part, alikeCase(text[:part], by())
			}
		}
	}
	return 0, ""
}

// digits replaces hex digits that have the length of an IPv6 or MAC address; without a letter they are an address only
// if it is known.
func (r *Redaction) digits(text string) (string, bool) {
	if by := r.tokens["0x"+strings.ToLower(text)]; by != nil {
		return alikeCase(text, by()), true
	}
	address, err := hex.DecodeString(text)
	if err != nil || len(address) != 16 && len(address) != 6 || strings.Trim(text, "0123456789") == "" {
		return "", false
	}
	return alikeCase(text, hex.EncodeToString(r.hardware(address))), true
}

var below6 = regexp.MustCompile(`^\.(?i:ip6\.arpa)`)

// reverse6 is a name under ip6.arpa, or the 32 digits of one.
func reverse6(r *Redaction, before byte, text string) (int, string) {
	if isHex(before) || len(text) < 2 || text[1] != '.' || !isHex(text[0]) {
		return 0, ""
	}
	var nibbles []byte
	for at := 0; at < 2*32 && next(text, at, isHex) && !next(text, at+1, isHex); at += 2 {
		nibbles = append(nibbles, text[at])
		if !strings.HasPrefix(text[at+1:], ".") {
			break
		}
	}
	count := len(nibbles)
	n := 2*count - 1
	if count < 32 && !below6.MatchString(text[max(n, 0):]) {
		return 0, ""
	}
	slices.Reverse(nibbles)
	address, _ := hex.DecodeString(string(append(nibbles, bytes.Repeat([]byte("0"), 32-count)...)))
	mapped := r.Prefix(netip.PrefixFrom(netip.AddrFrom16([16]byte(address)), 4*count)).Addr().As16()
	by := []byte(hex.EncodeToString(mapped[:]))[:count]
	slices.Reverse(by)
	return n, alikeCase(text[:n], strings.Join(strings.Split(string(by), ""), "."))
}

var reversed4 = regexp.MustCompile(`^((?:\d{1,3}\.){1,4})(?i:in-addr\.arpa)`)

// reverse4 is a name under in-addr.arpa, of an address or of a network of whole bytes.
func reverse4(r *Redaction, before byte, text string) (int, string) {
	found := reversed4.FindStringSubmatch(text)
	if found == nil || isDigit(before) {
		return 0, ""
	}
	labels := strings.Split(strings.TrimSuffix(found[1], "."), ".")
	var four [4]byte
	for i, label := range labels {
		n, err := strconv.ParseUint(label, 10, 8)
		if err != nil {
			return 0, ""
		}
		four[len(labels)-1-i] = byte(n)
	}
	mapped := r.Prefix(netip.PrefixFrom(netip.AddrFrom4(four), 8*len(labels))).Addr().As4()
	var by []string
	for i := len(labels) - 1; i >= 0; i-- {
		by = append(by, strconv.Itoa(int(mapped[i])))
	}
	return len(found[1]) - 1, strings.Join(by, ".")
}

// learn makes the tokens of the addresses that are known so far.
func (r *Redaction) learn() {
	r.tokens = map[string]func() string{}
	add := func(was, by []byte) {
		r.tokens["0x"+hex.EncodeToString(was)] = func() string { return hex.EncodeToString(by) }
		r.tokens[new(big.Int).SetBytes(was).String()] = func() string { return new(big.Int).SetBytes(by).String() }
	}
	for was, by := range r.known {
		if was != by {
			add(was.AsSlice(), by.AsSlice())
		}
	}
	for was, by := range r.macs {
		a, _ := net.ParseMAC(was)
		b, _ := net.ParseMAC(by)
		if a != nil && b != nil {
			add(a, b)
		}
	}
}
