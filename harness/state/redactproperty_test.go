package state

import (
	"encoding/hex"
	"fmt"
	"math/big"
	"math/rand/v2"
	"net"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// secret is a value that a redacted state must not contain, in any spelling.
type secret struct {
	name      string
	spellings []string
	part      string // of a spelling, which reveals enough by itself
}

func secretAddr(a netip.Addr) secret {
	bytes := a.AsSlice()
	digits := hex.EncodeToString(bytes)
	s := secret{name: a.String(), spellings: []string{
		a.String(), a.StringExpanded(), digits, "0x" + digits, new(big.Int).SetBytes(bytes).String(),
	}}
	if a.Is4() {
		q := strings.Split(a.String(), ".")
		s.spellings = append(s.spellings,
			strings.Join(q, "-"), strings.Join(q, "_"), strings.Join(q, "/"), q[3]+"."+q[2]+"."+q[1]+"."+q[0]+
				".in-addr.arpa",
			separated(bytes, "."), separated(bytes, ":"), separated(bytes, "-"),
			fmt.Sprintf("0x%02x.0x%02x.0x%02x.0x%02x",
				bytes[0], bytes[1], bytes[2], bytes[3]),
			"::"+a.String(), "::ffff:"+a.String(), "64:ff9b::"+
				a.String(), netip.AddrFrom16(a.As16()).StringExpanded(), a.String()+"/32", a.String()+":443",
			netip.AddrFrom16([16]byte(append(make([]byte, 12), bytes...))).String())
		return s
	}
	var nibbles []string
	for _, c := range digits {
		nibbles = append([]string{string(c)}, nibbles...)
	}
	s.spellings = append(s.spellings,
		strings.ReplaceAll(a.String(), ":", "-"), strings.ReplaceAll(a.StringExpanded(), ":",
			"-"), strings.ReplaceAll(a.String(), ":", "_"),
		strings.Join(nibbles, ".")+".ip6.arpa", strings.Join(nibbles, "."), separated(bytes, ":"), separated(bytes,
			"."), "["+a.String()+"]:443", a.String()+"/128")
	return s.withGroup(bytes)
}

func secretMAC(mac net.HardwareAddr) secret {
	digits := hex.EncodeToString(mac)
	eui := append(append(append([]byte{0xfe, 0x80, 0, 0, 0, 0, 0, 0, mac[0] ^ 2}, mac[1:3]...), 0xff, 0xfe), mac[3:]...)
	a := netip.AddrFrom16([16]byte(eui))
	return secret{name: mac.String(), spellings: []string{
		mac.String(), digits, "0x" + digits, "enx" + digits, separated(mac, "-"), separated(mac, "."), separated(mac,
			"_"), new(big.Int).SetBytes(mac).String(),
		digits[:4] + "." + digits[4:8] + "." + digits[8:], digits[:4] + "-" + digits[4:8] +
			"-" + digits[8:], a.String(), a.StringExpanded(),
		separated(eui[8:], "-"), separated(eui[8:], ":"),
	}}.withGroup(mac)
}

// withGroup adds what reveals the last 24 bits: the solicited-node group and its MAC address.
func (s secret) withGroup(bytes []byte) secret {
	low := bytes[len(bytes)-3:]
	group := netip.AddrFrom16([16]byte{0: 0xff, 1: 2, 11: 1, 12: 0xff, 13: low[0], 14: low[1], 15: low[2]})
	s.spellings = append(s.spellings, group.String(), group.StringExpanded(), "33:33:ff:"+separated(low, ":"),
		"33-33-ff-"+separated(low, "-"),
		"3333ff"+hex.EncodeToString(low))
	s.part = fmt.Sprintf("ff%02x:%02x%02x", low[0], low[1], low[2])
	return s
}

func separated(bytes []byte, separator string) string {
	var parts []string
	for _, b := range bytes {
		parts = append(parts, fmt.Sprintf("%02x", b))
	}
	return strings.Join(parts, separator)
}

// plant fills a value: each string with a different text, each address and prefix with one that is to be hidden.
func plant(v reflect.Value, text func() string, addr func() netip.Addr) {
	switch v.Type() {
	case addrType:
		v.Set(reflect.ValueOf(addr()))
		return
	case prefixType:
		a := addr()
		v.Set(reflect.ValueOf(netip.PrefixFrom(a, a.BitLen()-8)))
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(text())
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		plant(v.Elem(), text, addr)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 4, 4))
		for i := range v.Len() {
			plant(v.Index(i), text, addr)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			plant(v.Field(i), text, addr)
		}
	}
}

// redactAll redacts with a key that maps none of the addresses to itself, as happens now and then with 16 bits.
func redactAll(s *State, addresses []netip.Addr, seed uint64) (*State, *Redaction) {
	for {
		redacted, r := Redact(s, []byte(fmt.Sprint(seed)))
		if !slices.ContainsFunc(addresses, func(a netip.Addr) bool { return r.Addr(a) == a }) {
			return redacted, r
		}
		seed++
	}
}

// TestRedactionHidesEverySpelling fills every field of a state with secrets in every spelling, and looks for each of
// them in the file.
func TestRedactionHidesEverySpelling(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	b := func() byte { return byte(16 + random.IntN(200)) }
	for range 4 {
		addresses := []netip.Addr{
			netip.AddrFrom4([4]byte{10, b(), b(), 0x40 | b()&0x3f}), netip.AddrFrom4([4]byte{198, b(), b(),
				b()}), netip.AddrFrom4([4]byte{169, 254, 0x40 | b()&0x3f, b()}),
			netip.AddrFrom16([16]byte{0x20, 1, 0xd, 0xb8, b(), b(), 0, b(), 8: b(), 13: b(), 14: b(), 15: b()}),
			netip.AddrFrom16([16]byte{0xfd, b(), b(), b(), 0, 0, 0, 1, 13: b(), 14: b(), 15: b()}),
		}
		mac := net.HardwareAddr{0x52, b(), b(), b(), 0xa0 | b()&0xf, b()}
		secrets := []secret{secretMAC(mac)}
		for _, a := range addresses {
			secrets = append(secrets, secretAddr(a))
		}
		var texts []string
		for _, s := range secrets {
			for _, spelling := range s.spellings {
				for _, around := range []string{"%s", "veth%s", "ns-%s-x", "x_%s", "%s.rp_filter", "to %s, and",
					"ip saddr %s drop comment \"%[1]s\"", "h%sz"} {
					texts = append(texts, fmt.Sprintf(around, spelling), fmt.Sprintf(around, strings.ToUpper(spelling)))
				}
			}
		}
		random.Shuffle(len(texts), func(i, j int) { texts[i], texts[j] = texts[j], texts[i] })
		i, j := -1, -1
		text := func() string { i++; return texts[i%len(texts)] }
		addr := func() netip.Addr { j++; return addresses[j%len(addresses)] }
		s := &State{}
		for i < len(texts) { // each text occurs somewhere
			var n Namespace
			plant(reflect.ValueOf(&n).Elem(), text, addr)
			n.Links[0].MAC = mac.String()
			n.Links[0].Addresses = append(n.Links[0].Addresses, Address{Prefix: netip.PrefixFrom(addresses[0], 24)})
			s.Namespaces = append(s.Namespaces, n)
		}
		redacted, r := redactAll(s, addresses, seed)
		file, err := Encode(redacted, "p")
		if err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(strings.ToLower(string(file)), "\n")
		told := 0
		for _, secret := range secrets {
			for _, spelling := range append(secret.spellings, secret.part) {
				if spelling == "" {
					continue
				}
				for _, line := range lines {
					if strings.Contains(line, strings.ToLower(spelling)) {
						if told++; told <= 10 {
							t.Errorf("%s is told as %s:\n%s", secret.name, spelling, line)
						}
						break
					}
				}
			}
		}
		for _, a := range addresses {
			if redacted.Knows(a) || !redacted.Knows(r.Addr(a)) {
				t.Errorf("the redacted state knows %s, or not %s", a, r.Addr(a))
			}
		}
	}
}

// TestRedactedGroups: the solicited-node group of an address remains its group, and so does the MAC address of the
// group.
func TestRedactedGroups(t *testing.T) {
	_, r := Redact(&State{}, []byte("key"))
	for _, text := range []string{"2001:db8::1:2:3", "fe80::5054:ff:feaa:bbcc", "fd00::1"} {
		a := adr(text)
		group := func(a netip.Addr) netip.Addr {
			b := a.As16()
			return netip.AddrFrom16([16]byte{0: 0xff, 1: 2, 11: 1, 12: 0xff, 13: b[13], 14: b[14], 15: b[15]})
		}
		equal(t, r.Addr(group(a)), group(r.Addr(a)))
		low := r.Addr(a).As16()
		was := a.As16()
		equal(t, r.Text("33:33:ff:"+separated(was[13:], ":")), "33:33:ff:"+separated(low[13:], ":"))
	}
	equal(t, r.Addr(adr("ff02::1")), adr("ff02::1"))
	equal(t, r.Text("33:33:00:00:00:01 01:00:5e:00:00:01 ff:ff:ff:ff:ff:ff"),
		"33:33:00:00:00:01 01:00:5e:00:00:01 ff:ff:ff:ff:ff:ff")
	equal(t, strings.HasPrefix(r.Text("52:54:00:aa:bb:cc"), "52:") &&
		strings.HasSuffix(r.Text("fe80::5054:ff:feaa:bbcc"), separated(r.nic([]byte{0xaa, 0xbb, 0xcc})[1:], "")), true)
}

// TestRedactedTranslations: an IPv4 address embedded in an IPv6 one is mapped like the IPv4 address itself, and
// addresses with a fixed meaning are kept.
func TestRedactedTranslations(t *testing.T) {
	_, r := Redact(&State{}, []byte("key"))
	four := r.Addr(adr("10.77.1.5"))
	for _, prefix := range []string{"::", "::ffff:", "64:ff9b::"} {
		equal(t, r.Addr(adr(prefix+"10.77.1.5")), adr(prefix+four.String()))
		equal(t, adr(r.Text(prefix+"10.77.1.5")), adr(prefix+four.String()))
	}
	for _, text := range []string{"::", "::1", "127.0.0.1", "64:ff9b::127.0.0.1", "64:ff9b::/96", "0.0.0.0/0", "::/0",
		"255.255.255.0", "169.254.0.0", "169.254.255.255", "fe80::/10"} {
		equal(t, r.Text(text), text)
	}
	equal(t, strings.HasPrefix(r.Text("169.254.77.5"), "169.254."), true)
	equal(t, r.Text("x 5.1.77.10.in-addr.arpa 1.77.10.in-addr.arpa"),
		fmt.Sprintf("x %[4]d.%[3]d.%[2]d.%[1]d.in-addr.arpa %[5]s.in-addr.arpa",
			four.As4()[0], four.As4()[1], four.As4()[2], four.As4()[3], reversedNetwork(r.Prefix(pfx("10.77.1.0/24")))))
}

func reversedNetwork(p netip.Prefix) string {
	b := p.Addr().As4()
	return fmt.Sprintf("%d.%d.%d", b[2], b[1], b[0])
}

// TestRedactedEdges: the first and the last address of each network of an interface remain first and last, in nested
// networks too.
func TestRedactedEdges(t *testing.T) {
	s := &State{Namespaces: []Namespace{{Links: []Link{{Addresses: []Address{{Prefix: pfx("10.77.1.5/16")},
		{Prefix: pfx("10.77.1.9/28")}}}}}}}
	_, r := Redact(s, []byte("key"))
	for _, text := range []string{"10.77.0.0/16", "10.77.1.0/28"} {
		p := pfx(text)
		equal(t, r.Addr(p.Addr()), r.Prefix(p).Addr())
		equal(t, r.Addr(lastOf(p)), lastOf(r.Prefix(p)))
	}
}

// TestRedactedWords: free text is removed, common words are kept, and different names remain different.
func TestRedactedWords(t *testing.T) {
	rule := func(text, target string) FilterRule { return FilterRule{Text: text, Verdict: "jump", Target: target} }
	s := &State{Namespaces: []Namespace{{Filters: []FilterTable{{Family: "ip", Name: "acme_filter",
		Chains: []FilterChain{
			{Name: "input", Rules: []FilterRule{
				rule(
					`iifname "eth0" log prefix "ACME-drop 10.77.1.5: " jump acme-in comment "ticket \"4711\" of Smith"`,
					"acme-in"),
				rule(`ip saddr @acme-vips counter name "acme" goto other-in`, "other-in"),
			}}, {Name: "acme-in"}, {Name: "other-in"}, {Name: "KUBE-SERVICES"}, {Name: "acme2-in"},
		}}}}}}
	redacted, r := Redact(s, []byte("key"))
	table := redacted.Namespaces[0].Filters[0]
	equal(t, table.Name, "word1_filter")
	equal(t, table.Chains[0].Rules[0].Text, `iifname "eth0" log prefix "word2-drop `+r.Addr(adr("10.77.1.5")).String()+
		`: " jump word1-in comment "word3 \"word4\" of word5"`)
	equal(t, table.Chains[0].Rules[0].Target, table.Chains[1].Name)
	equal(t, table.Chains[0].Rules[1].Text, `ip saddr @word1-word6 counter name "word1" goto other-in`)
	equal(t, table.Chains[2].Name, "other-in")
	equal(t, table.Chains[3].Name, "KUBE-SERVICES")
	equal(t, table.Chains[4].Name != table.Chains[1].Name, true)
	key := fmt.Sprint(r.Key())
	for _, pair := range [][2]string{{"10.77.1.5", r.Addr(adr("10.77.1.5")).String()}, {"acme", "word1"},
		{"Smith", "word5"}} {
		equal(t, strings.Contains(key, "["+pair[0]+" "+pair[1]+"]"), true)
	}
}

// FuzzRedactText: redaction of any text terminates, is deterministic, and leaves no ordinary address unchanged.
func FuzzRedactText(f *testing.F) {
	for _, s := range secretAddr(adr("10.77.1.5")).spellings {
		f.Add(s)
	}
	for _, s := range append(secretAddr(adr("2001:db8::77:5")).spellings,
		secretMAC(net.HardwareAddr{0x52, 0x54, 0, 0xaa, 0xbb, 0xcc}).spellings...) {
		f.Add("x" + s + "-")
	}
	s := &State{Namespaces: []Namespace{{Links: []Link{{MAC: "52:54:00:aa:bb:cc"}},
		Routes: []Route{{Src: adr("10.77.1.5")}, {Src: adr("2001:db8::77:5")}}}}}
	f.Fuzz(func(t *testing.T, text string) {
		_, r := Redact(s, []byte("key"))
		once := r.Text(text)
		if again := r.Text(text); again != once {
			t.Errorf("%q became %q and %q", text, once, again)
		}
		if a, err := netip.ParseAddr(text); err == nil && r.Addr(a) != a && strings.EqualFold(once, text) {
			t.Errorf("%s stays", a)
		}
		r.name(text)
		r.rule(text)
	})
}
