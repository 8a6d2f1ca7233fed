package state

import (
	"crypto/sha256"
	"encoding/binary"
	"maps"
	"net"
	"net/netip"
	"reflect"
	"slices"
	"strings"
)

// Redaction maps IP and MAC addresses to others, consistently and prefix-preserving: two addresses with a common prefix
// map to two with a common prefix of the same length. The diagnosis of a redacted state is therefore that of the
// original, with other addresses. Addresses with a fixed meaning are kept: loopback, multicast, the link-local and
// translation prefixes (RFC 6052), and the leading bits by which other addresses differ from these; the first and the
// last address of the IPv4 network of an interface remain first and last. The last 24 bits of an IPv6 address or a MAC
// address are mapped independently of the bits before them, so that solicited-node multicast addresses (RFC 4291,
// section 2.7.1) and their MAC addresses still belong to the address.
//
// Addresses in texts are found in any spelling (redactspell.go). In names of tables, chains and sets of the packet
// filter, in comments and log prefixes, uncommon words are replaced by numbered ones (redactwords.go). Names of
// namespaces and interfaces are kept, except for addresses in them; the alias of an interface is removed.
type Redaction struct {
	key      []byte
	networks []netip.Prefix // IPv4: those of interfaces, and link-local
	known    map[netip.Addr]netip.Addr
	macs     map[string]string // colon-separated
	words    map[string]string
	// tokens are known addresses in spellings that are indistinguishable from any other number.
	tokens map[string]func() string
}

// Redact makes a redacted copy of a state. The key determines the mapping: whoever has it can reverse it.
func Redact(s *State, key []byte) (*State, *Redaction) {
	networks := []netip.Prefix{linkLocal4}
	for i := range s.Namespaces {
		for _, l := range s.Namespaces[i].Links {
			for _, a := range l.Addresses {
				if a.Prefix.Addr().Is4() && a.Prefix.Bits() < 31 {
					networks = append(networks, a.Prefix.Masked())
				}
			}
		}
	}
	r := &Redaction{key: key, networks: networks, known: map[netip.Addr]netip.Addr{}, macs: map[string]string{},
		words: map[string]string{}}
	r.value(reflect.ValueOf(*s)) // a first pass, to know all addresses before replacing any in texts
	r.learn()
	clear(r.words)
	out := r.value(reflect.ValueOf(*s)).Interface().(State)
	out.Redacted = true
	return &out, r
}

// Key lists each replaced address and word with its replacement, in order. It is for the owner of the state only.
func (r *Redaction) Key() [][2]string {
	var pairs [][2]string
	for _, a := range slices.SortedFunc(maps.Keys(r.known), netip.Addr.Compare) {
		if r.known[a] != a {
			pairs = append(pairs, [2]string{a.String(), r.known[a].String()})
		}
	}
	for _, m := range []map[string]string{r.macs, r.words} {
		for _, was := range slices.Sorted(maps.Keys(m)) {
			if m[was] != was {
				pairs = append(pairs, [2]string{was, m[was]})
			}
		}
	}
	return pairs
}

// Knows reports whether an address occurs in the state or has a fixed meaning. A redacted state cannot answer questions
// about any other address, whose replacement is unknown.
func (s *State) Knows(a netip.Addr) bool {
	a = a.WithZone("").Unmap()
	return stays(a) || holds(reflect.ValueOf(*s), a)
}

// holds reports whether an address occurs anywhere in a value.
func holds(v reflect.Value, a netip.Addr) bool {
	switch v.Type() {
	case addrType:
		return v.Interface().(netip.Addr).WithZone("").Unmap() == a
	case prefixType:
		return v.Interface().(netip.Prefix).Addr().Unmap() == a
	}
	switch v.Kind() {
	case reflect.String:
		text, _, _ := strings.Cut(v.String(), "/")
		other, err := netip.ParseAddr(text)
		return err == nil && other == a
	case reflect.Pointer:
		return !v.IsNil() && holds(v.Elem(), a)
	case reflect.Slice:
		for i := range v.Len() {
			if holds(v.Index(i), a) {
				return true
			}
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if holds(v.Field(i), a) {
				return true
			}
		}
	}
	return false
}

var (
	linkLocal4 = netip.MustParsePrefix("169.254.0.0/16")
	// constants are networks whose addresses mean the same everywhere.
	constants = []netip.Prefix{netip.MustParsePrefix("0.0.0.0/8"), netip.MustParsePrefix("127.0.0.0/8"),
		netip.MustParsePrefix("224.0.0.0/3")}
	// translated are prefixes of addresses that embed an IPv4 address: IPv4-compatible ones (with ::1 and ::), and
	// those for translation (RFC 6052).
	translated = []netip.Prefix{netip.MustParsePrefix("::/96"), netip.MustParsePrefix("64:ff9b::/96")}
)

func within(a netip.Addr, networks []netip.Prefix) bool {
	return slices.ContainsFunc(networks, func(p netip.Prefix) bool { return p.Contains(a) })
}

// stays reports whether an address is kept.
func stays(a netip.Addr) bool {
	switch {
	case !a.IsValid() || within(a, constants):
		return true
	case within(a, translated):
		return stays(last4(a))
	}
	return a.IsMulticast() && !isSolicited(a)
}

// isSolicited reports whether an address is a solicited-node multicast address, ff02::1:ff00:0/104.
func isSolicited(a netip.Addr) bool {
	return a.Is6() && netip.MustParsePrefix("ff02::1:ff00:0/104").Contains(a)
}

// last4 is the IPv4 address in the last 32 bits.
func last4(a netip.Addr) netip.Addr {
	bytes := a.As16()
	return netip.AddrFrom4([4]byte(bytes[12:]))
}

// Addr is the replacement of an address.
func (r *Redaction) Addr(a netip.Addr) netip.Addr {
	zone := a.Zone()
	a = a.WithZone("")
	mapped, ok := r.known[a]
	if !ok {
		mapped = r.mapped(a)
		r.known[a] = mapped
	}
	if zone != "" {
		mapped = mapped.WithZone(r.Text(zone))
	}
	return mapped
}

func (r *Redaction) mapped(a netip.Addr) netip.Addr {
	switch {
	case a.Is4In6():
		return netip.AddrFrom16(r.Addr(a.Unmap()).As16())
	case stays(a):
		return a
	case a.Is4():
		bytes := a.As4()
		return netip.AddrFrom4([4]byte(r.flip(bytes[:], r.first(a), func(i int) bool { return r.edge(a, i) })))
	}
	bytes := a.As16()
	switch {
	case within(a, translated):
		four := r.Addr(last4(a)).As4()
		copy(bytes[12:], four[:])
	case isSolicited(a):
		copy(bytes[13:], r.nic(bytes[13:]))
	default:
		copy(bytes[:13], r.flip(bytes[:13], r.first(a), nil))
		copy(bytes[13:], r.nic(bytes[13:]))
	}
	return netip.AddrFrom16(bytes)
}

// first is the number of leading bits to keep: up to the first bit by which the address differs from those with a fixed
// meaning, so that it cannot become one of them.
func (r *Redaction) first(a netip.Addr) int {
	first, apart := 0, append([]netip.Prefix{linkLocal4}, constants...)
	switch {
	case linkLocal4.Contains(a):
		return linkLocal4.Bits()
	case a.Is6() && a.IsLinkLocalUnicast():
		return 64
	case a.Is6():
		first, apart = 16, translated
	}
	for _, p := range apart {
		first = max(first, alike(a, p.Addr())+1)
	}
	return first
}

// alike is the length of the common prefix of two addresses, in bits.
func alike(a, b netip.Addr) (bits int) {
	for bits < a.BitLen() && netip.PrefixFrom(b, bits+1).Contains(a) {
		bits++
	}
	return bits
}

// edge reports whether the host bits before this one are all zeros or all ones in the network of an interface: then the
// bit is kept, so that the first and the last address remain first and last.
func (r *Redaction) edge(a netip.Addr, bit int) bool {
	bytes := a.As4()
	value := binary.BigEndian.Uint32(bytes[:])
	return slices.ContainsFunc(r.networks, func(p netip.Prefix) bool {
		if p.Bits() > bit || !p.Contains(a) {
			return false
		}
		// the bits from the prefix to this one
		host := uint64(value) << (32 + p.Bits()) >> (32 + p.Bits()) >> (32 - bit)
		return host == 0 || host == 1<<(bit-p.Bits())-1
	})
}

// flip inverts some of the bits from first on, except those kept; whether a bit is inverted depends only on the bits
// before it and the key.
func (r *Redaction) flip(bytes []byte, first int, kept func(bit int) bool) []byte {
	out := append([]byte{}, bytes...)
	seen := make([]byte, len(bytes))
	for i := range len(bytes) * 8 {
		if i >= first && (kept == nil || !kept(i)) {
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

// nic is the replacement of the last 24 bits of an address, the device part of a MAC address.
func (r *Redaction) nic(bytes []byte) []byte { return r.flip(bytes, 0, nil) }

// Prefix is the replacement of a prefix; without host bits it has none either.
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

// hardware is the replacement of a link-layer address, usually of 6 bytes. The first byte, which holds the group and
// local bits, is kept, and so are group addresses, except those of solicited-node groups. The link-layer address of a
// tunnel is the IP address of its end.
func (r *Redaction) hardware(bytes []byte) []byte {
	if a, ok := netip.AddrFromSlice(bytes); ok {
		return r.Addr(a).AsSlice()
	}
	out := append([]byte{}, bytes...)
	low := len(bytes) - 3
	solicited := len(bytes) == 6 && strings.HasPrefix(string(bytes), "\x33\x33\xff")
	switch {
	case bytes[0]&1 != 0 && !solicited, strings.Trim(string(bytes), "\x00") == "":
		return out
	case !solicited:
		copy(out, r.flip(bytes[:low], 8, nil))
	}
	copy(out[low:], r.nic(bytes[low:]))
	r.macs[net.HardwareAddr(bytes).String()] = net.HardwareAddr(out).String()
	return out
}

var (
	addrType   = reflect.TypeFor[netip.Addr]()
	prefixType = reflect.TypeFor[netip.Prefix]()
	linkType   = reflect.TypeFor[Link]()
	tableType  = reflect.TypeFor[FilterTable]()
	chainType  = reflect.TypeFor[FilterChain]()
	ruleType   = reflect.TypeFor[FilterRule]()
	matchType  = reflect.TypeFor[FilterMatch]()
	ipsetType  = reflect.TypeFor[IPSet]()
	memberType = reflect.TypeFor[IPSetElement]()
)

// value is a redacted copy of a value.
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
		out.FieldByName("Alias").SetString("") // free text
	case matchType:
		out.FieldByName("Values").Set(reflect.ValueOf(r.matched(v.Interface().(FilterMatch))))
	}
	spoken := map[string]func(string) string{}
	switch v.Type() {
	case tableType, chainType, ipsetType:
		spoken["Name"] = r.name
	case memberType:
		spoken["Set"] = r.name
	case ruleType:
		spoken["Target"], spoken["Text"] = r.name, r.rule
	}
	for i := range out.NumField() {
		if redact := spoken[v.Type().Field(i).Name]; redact != nil {
			out.Field(i).SetString(redact(v.Field(i).String()))
			continue
		}
		out.Field(i).Set(r.value(out.Field(i)))
	}
	return out
}

// matched are the values of a condition, the names of sets in their redacted form.
func (r *Redaction) matched(m FilterMatch) []string {
	if !strings.HasPrefix(m.Key, "ipset ") {
		return withoutRanges(m.Values)
	}
	var names []string
	for _, v := range m.Values {
		names = append(names, r.name(v))
	}
	return names
}

// withoutRanges splits ranges of addresses into prefixes: the mapping preserves prefixes, but not the order of
// addresses.
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
