package state

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"net"
	"net/netip"
	"reflect"
	"regexp"
	"strings"
)

// Redaction maps addresses and MAC addresses to others: the same one always to the same, two that begin alike to two that begin alike for
// as long. A diagnosis of what it made is therefore the diagnosis of what it was made of, at other addresses. What has a meaning of its
// own stays as it is: loopback, multicast, link-local prefixes, the first bits up to where an address parts from these, and in an IPv4
// network of an interface the part that numbers its hosts, so that a broadcast address stays one. Names of namespaces and interfaces
// stay, but for addresses in them.
type Redaction struct {
	key      []byte
	networks []netip.Prefix // of interfaces, IPv4
	known    map[netip.Addr]netip.Addr
}

// Redact makes a redacted copy of a state. The key decides what becomes of an address; who has it can find out what it was.
func Redact(s *State, key []byte) (*State, *Redaction) {
	var networks []netip.Prefix
	for i := range s.Namespaces {
		for _, l := range s.Namespaces[i].Links {
			for _, a := range l.Addresses {
				if a.Prefix.Addr().Is4() && a.Prefix.Bits() < 31 {
					networks = append(networks, a.Prefix.Masked())
				}
			}
		}
	}
	r := &Redaction{key: key, networks: networks, known: map[netip.Addr]netip.Addr{}}
	out := r.value(reflect.ValueOf(*s)).Interface().(State)
	return &out, r
}

var specials = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"), netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("169.254.0.0/16"), netip.MustParsePrefix("224.0.0.0/3"),
	netip.MustParsePrefix("::/16"),
}

// special says whether an address is kept as it is.
func special(a netip.Addr) bool {
	for _, p := range specials {
		if p.Contains(a) {
			return true
		}
	}
	return a.IsMulticast()
}

// Addr is what becomes of an address.
func (r *Redaction) Addr(a netip.Addr) netip.Addr {
	zone := a.Zone()
	a = a.WithZone("")
	mapped, ok := r.known[a]
	if !ok {
		mapped = r.mapped(a)
		r.known[a] = mapped
	}
	if zone != "" {
		mapped = mapped.WithZone(zone)
	}
	return mapped
}

func (r *Redaction) mapped(a netip.Addr) netip.Addr {
	if a.Is4In6() {
		return netip.AddrFrom16(r.Addr(a.Unmap()).As16())
	}
	if !a.IsValid() || special(a) {
		return a
	}
	first := 0
	switch {
	case a.Is6() && a.IsLinkLocalUnicast():
		first = 64
	case a.Is6():
		first = 16
	}
	for _, p := range specials { // where it parts from them is kept, or it could become one of them
		first = max(first, alike(a, p.Addr())+1)
	}
	mapped, _ := netip.AddrFromSlice(r.flip(a.AsSlice(), first, r.end(a)))
	return mapped
}

// alike is how many bits two addresses begin with alike.
func alike(a, b netip.Addr) (bits int) {
	for bits < a.BitLen() && netip.PrefixFrom(b, bits+1).Contains(a) {
		bits++
	}
	return bits
}

// end is where the bits of an address begin that are kept: those behind the prefix of the largest network of an interface that it is in.
func (r *Redaction) end(a netip.Addr) int {
	end := a.BitLen()
	for _, p := range r.networks {
		if p.Contains(a) {
			end = min(end, p.Bits())
		}
	}
	return end
}

// flip turns bits round, from one to before another; whether it does depends on the bits before it alone.
func (r *Redaction) flip(bytes []byte, first, end int) []byte {
	out := append([]byte{}, bytes...)
	seen := make([]byte, len(bytes))
	for i := range end {
		if i >= first {
			h := sha256.New()
			h.Write(r.key)
			binary.Write(h, binary.BigEndian, uint32(len(bytes)<<8|i))
			h.Write(seen)
			out[i/8] ^= h.Sum(nil)[0] & 1 << (7 - i%8)
		}
		seen[i/8] |= bytes[i/8] & (1 << (7 - i%8))
	}
	return out
}

// Prefix is what becomes of a prefix; bits behind its length that were set stay set.
func (r *Redaction) Prefix(p netip.Prefix) netip.Prefix {
	if !p.IsValid() || p.Bits() == 0 {
		return p
	}
	mapped := netip.PrefixFrom(r.Addr(p.Addr()), p.Bits())
	if p == p.Masked() {
		return mapped.Masked()
	}
	return mapped
}

var (
	macPattern     = regexp.MustCompile(`\b[0-9A-Fa-f]{2}(?::[0-9A-Fa-f]{2}){5}\b`)
	addressPattern = regexp.MustCompile(`[0-9A-Fa-f:.]*[:.][0-9A-Fa-f:.]+(?:/[0-9]+)?`)
)

// Text replaces the addresses in a text, a name for instance.
func (r *Redaction) Text(s string) string {
	return addressPattern.ReplaceAllStringFunc(s, func(word string) string {
		end := len(strings.TrimRight(word, ".:"))
		if strings.HasSuffix(word, "::") {
			end = len(word)
		}
		return r.word(word[:end]) + word[end:]
	})
}

func (r *Redaction) word(s string) string {
	if a, err := netip.ParseAddr(s); err == nil {
		return r.Addr(a).String()
	}
	if p, err := netip.ParsePrefix(s); err == nil {
		return r.Prefix(p).String()
	}
	if p, err := netip.ParseAddrPort(s); err == nil {
		return netip.AddrPortFrom(r.Addr(p.Addr()), p.Port()).String()
	}
	if b, err := hex.DecodeString(strings.ReplaceAll(s, ":", "")); err == nil && strings.EqualFold(net.HardwareAddr(b).String(), s) {
		if a, ok := netip.AddrFromSlice(b); ok { // a tunnel has its end's address in the place of a MAC address
			return net.HardwareAddr(r.Addr(a).AsSlice()).String()
		}
	}
	return macPattern.ReplaceAllStringFunc(s, r.mac)
}

// mac maps a MAC address behind its first byte, which says of what kind it is. Those of groups stay.
func (r *Redaction) mac(s string) string {
	var bytes [6]byte
	for i, b := range strings.Split(s, ":") {
		for _, c := range strings.ToLower(b) {
			bytes[i] = bytes[i]<<4 | byte(strings.IndexRune("0123456789abcdef", c))
		}
	}
	if bytes[0]&1 != 0 || bytes == [6]byte{} {
		return s
	}
	const hex = "0123456789abcdef"
	var parts []string
	for _, b := range r.flip(bytes[:], 8, 48) {
		parts = append(parts, string([]byte{hex[b>>4], hex[b&15]}))
	}
	return strings.Join(parts, ":")
}

var (
	addrType   = reflect.TypeFor[netip.Addr]()
	prefixType = reflect.TypeFor[netip.Prefix]()
	linkType   = reflect.TypeFor[Link]()
	matchType  = reflect.TypeFor[FilterMatch]()
)

// value copies a value with everything in it redacted.
func (r *Redaction) value(v reflect.Value) reflect.Value {
	switch v.Type() {
	case addrType:
		return reflect.ValueOf(r.Addr(v.Interface().(netip.Addr)))
	case prefixType:
		return reflect.ValueOf(r.Prefix(v.Interface().(netip.Prefix)))
	}
	switch v.Kind() {
	case reflect.String:
		return reflect.ValueOf(r.Text(v.String())).Convert(v.Type())
	case reflect.Pointer:
		if v.IsNil() {
			return v
		}
		out := reflect.New(v.Type().Elem())
		out.Elem().Set(r.value(v.Elem()))
		return out
	case reflect.Slice:
		if v.IsNil() {
			return v
		}
		out := reflect.MakeSlice(v.Type(), v.Len(), v.Len())
		for i := range v.Len() {
			out.Index(i).Set(r.value(v.Index(i)))
		}
		return out
	case reflect.Struct:
		return r.structure(v)
	}
	return v
}

func (r *Redaction) structure(v reflect.Value) reflect.Value {
	out := reflect.New(v.Type()).Elem()
	out.Set(v)
	switch v.Type() {
	case linkType:
		out.FieldByName("Alias").SetString("") // people write anything into it
	case matchType:
		out.FieldByName("Values").Set(reflect.ValueOf(withoutRanges(v.Interface().(FilterMatch).Values)))
	}
	for i := range out.NumField() {
		out.Field(i).Set(r.value(out.Field(i)))
	}
	return out
}

// withoutRanges writes ranges of addresses as the prefixes that they are made of: the order of addresses is not kept, prefixes are.
func withoutRanges(values []string) []string {
	var out []string
	for _, v := range values {
		from, to, _ := strings.Cut(v, "-")
		first, err := netip.ParseAddr(from)
		last, err2 := netip.ParseAddr(to)
		if err != nil || err2 != nil || first.BitLen() != last.BitLen() {
			out = append(out, v)
			continue
		}
		for first.IsValid() && first.Compare(last) <= 0 {
			p := largest(first, last)
			out = append(out, p.String())
			first = lastOf(p).Next()
		}
	}
	return out
}

// largest is the largest prefix that begins with first and does not go beyond last.
func largest(first, last netip.Addr) netip.Prefix {
	p := netip.PrefixFrom(first, first.BitLen())
	for p.Bits() > 0 {
		wider := netip.PrefixFrom(first, p.Bits()-1)
		if wider.Masked().Addr() != first || lastOf(wider).Compare(last) > 0 {
			break
		}
		p = wider
	}
	return p
}

// lastOf is the last address of a prefix.
func lastOf(p netip.Prefix) netip.Addr {
	bytes := p.Addr().AsSlice()
	for i := p.Bits(); i < len(bytes)*8; i++ {
		bytes[i/8] |= 1 << (7 - i%8)
	}
	last, _ := netip.AddrFromSlice(bytes)
	return last
}
