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

// Redaction maps addresses and MAC addresses to others: the same one always to the same, two that begin alike to two
// that begin alike for as long. A diagnosis of what it made is therefore the diagnosis of what it was made of, at other
// addresses. What has a meaning of its own stays as it is: loopback, multicast, link-local and translation prefixes
// (RFC 6052), the first bits up to where an address parts from these; of an IPv4 network of an interface the first and
// the last address stay those. The last 24 bits of an IPv6 address and of a MAC address become others whatever stands
// before them, so that the group in which a neighbour is asked for (RFC 4291, section 2.7.1), and the MAC address of
// that group, remain those of the address.
//
// In texts addresses are found in whatever way they are spelled (redactspell.go). In names of tables, chains and sets
// of the packet filter, in comments and log prefixes, words that are not common ones become numbered ones
// (redactwords.go). Names of namespaces and interfaces stay, but for addresses in them; what people wrote into the
// alias of an interface goes.
type Redaction struct {
	key      []byte
	networks []netip.Prefix // IPv4: of interfaces, and the link-local one
	known    map[netip.Addr]netip.Addr
	macs     map[string]string // colon-separated
	words    map[string]string
	// tokens are the addresses that were met before, in spellings in which only one that is known can be told from any
	// other number.
	tokens map[string]func() string
}

// Redact makes a redacted copy of a state. The key decides what becomes of an address; who has it can find out what it
// was.
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
	r.value(reflect.ValueOf(*s)) // to know all addresses before any text is read for good
	r.learn()
	clear(r.words)
	out := r.value(reflect.ValueOf(*s)).Interface().(State)
	out.Redacted = true
	return &out, r
}

// Key says what became of each address and word that did not stay: pairs, in order. It is for the owner of the state
// alone.
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

// Knows says whether an address is in the state, or means the same in every network. Of a redacted state a question
// about another one has no answer: it is not known what has become of that address.
func (s *State) Knows(a netip.Addr) bool {
	a = a.WithZone("").Unmap()
	return stays(a) || holds(reflect.ValueOf(*s), a)
}

// holds says whether an address stands anywhere in a value.
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
	// translated are prefixes behind which an IPv4 address stands: IPv4-compatible (::1 and :: among them), and for
	// translation (RFC 6052).
	translated = []netip.Prefix{netip.MustParsePrefix("::/96"), netip.MustParsePrefix("64:ff9b::/96")}
)

func within(a netip.Addr, networks []netip.Prefix) bool {
	return slices.ContainsFunc(networks, func(p netip.Prefix) bool { return p.Contains(a) })
}

// stays says whether an address is kept as it is.
func stays(a netip.Addr) bool {
	switch {
	case !a.IsValid() || within(a, constants):
		return true
	case within(a, translated):
		return stays(last4(a))
	}
	return a.IsMulticast() && !isSolicited(a)
}

// isSolicited says whether an address is that of the group in which a neighbour is asked for: ff02::1:ff00:0/104.
func isSolicited(a netip.Addr) bool {
	return a.Is6() && netip.MustParsePrefix("ff02::1:ff00:0/104").Contains(a)
}

// last4 is the IPv4 address in the last 32 bits.
func last4(a netip.Addr) netip.Addr {
	bytes := a.As16()
	return netip.AddrFrom4([4]byte(bytes[12:]))
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

// first is how many bits an address begins with that stay: those up to where it parts from what has a meaning of its
// own, or it could become one of these.
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

// alike is how many bits two addresses begin with alike.
func alike(a, b netip.Addr) (bits int) {
	for bits < a.BitLen() && netip.PrefixFrom(b, bits+1).Contains(a) {
		bits++
	}
	return bits
}

// edge says whether a bit decides of an address that is, as far as to there, the first or the last of an interface's
// network: it stays that.
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

// flip turns bits round, from one on, but for those that are kept; whether it does depends on the bits before it alone.
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

// nic is what becomes of the last 24 bits of an address, which in a MAC address number the cards of a maker.
func (r *Redaction) nic(bytes []byte) []byte { return r.flip(bytes, 0, nil) }

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

// hardware is what becomes of the address of a link: of 6 bytes as a rule. Its first byte says of what kind it is and
// stays; so do groups, but for those in which a neighbour is asked for. A tunnel has the address of its end there.
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
	spoken := map[string]func(string) string{}
	switch v.Type() {
	case tableType, chainType:
		spoken["Name"] = r.name
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

// withoutRanges writes ranges of addresses as the prefixes that they are made of: the order of addresses is not kept,
// prefixes are.
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
