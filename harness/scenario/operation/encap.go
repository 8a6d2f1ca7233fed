package operation

import (
	"net/netip"
	"strconv"
	"strings"
)

// Encap is the `encap TYPE …` of a route or a next hop: a lightweight tunnel (ip-route(8)).
type Encap struct {
	// Type is ip, ip6, mpls, seg6, seg6local, or one whose options are not known here: bpf, ila, ioam6, rpl, xfrm.
	Type string
	// Options are in the order in which they were written.
	Options []EncapOption
}

// EncapOption is one option of an Encap. Numbers are in decimal, a type of service in base 16, addresses and lists in
// the kernel's form. The Word before the label stack of mpls is "", which is not written. The Value of a flag (key,
// csum, seq) is "".
type EncapOption struct{ Word, Value string }

// Option is the value of an option; not ok if it was not written.
func (e *Encap) Option(word string) (value string, ok bool) {
	for _, o := range e.Options {
		if o.Word == word {
			return o.Value, true
		}
	}
	return "", false
}

// ParseEncap parses what follows the word encap, and nothing else. The error is an *UnknownWord or a *UsageError.
func ParseEncap(list []string) (*Encap, error) {
	w := newWords(list, FamilyAny)
	var e *Encap
	if err := read(w, &e, w.encap)("encap"); err != nil {
		return nil, err
	}
	if w.more() {
		return nil, &UnknownWord{Word: w.next()}
	}
	return e, nil
}

// encapTypes are the types of lightweight tunnels, with the options of those that are known here.
var encapTypes = map[string]map[string]func(keyword, value string) (string, error){
	"ip": {"id": unsigned64Text, "src": ipv4Text, "dst": ipv4Text, "ttl": byteText, "tos": tosText,
		"key": nil, "csum": nil, "seq": nil},
	"ip6": {"id": unsigned64Text, "src": ipv6Text, "dst": ipv6Text, "hoplimit": byteText, "tc": tosText,
		"key": nil, "csum": nil, "seq": nil},
	"mpls": {"": labels, "ttl": byteText},
	"seg6": {"mode": oneOf("inline", "encap", "encap.red", "l2encap", "l2encap.red"), "segs": segments},
	"seg6local": {"action": text, "table": tables.understand, "vrftable": tables.understand, "nh4": ipv4Text,
		"nh6": ipv6Text, "iif": name, "oif": name},
	"bpf": {}, "ila": {}, "ioam6": {}, "rpl": {}, "xfrm": {},
}

var encapWords = newGrammar("mpls! ip! ip6! ila! bpf! seg6! seg6local! rpl! ioam6! xfrm!")

// encap reads a type and all words after it that are options of this type.
func (w *words) encap(keyword, value string) (*Encap, error) {
	options, known := encapTypes[value]
	if !known {
		return nil, encapWords.unknown(value)
	}
	e := &Encap{Type: value}
	if understand, ok := options[""]; ok { // a value without a word before it
		if err := e.read(w, "", understand); err != nil {
			return nil, err
		}
	}
	for w.more() {
		word := w.left[0]
		understand, ok := options[word]
		if !ok || word == "" {
			break
		}
		w.next()
		if _, twice := e.Option(word); twice {
			return nil, usage(word, "it is written twice")
		}
		if err := e.read(w, word, understand); err != nil {
			return nil, err
		}
	}
	return e, nil
}

// read reads the value of an option, unless it is a flag.
func (e *Encap) read(w *words, word string, understand func(keyword, value string) (string, error)) error {
	o := EncapOption{Word: word}
	if understand != nil {
		if err := read(w, &o.Value, understand)(word); err != nil {
			return err
		}
	}
	e.Options = append(e.Options, o)
	return nil
}

// SRv6Actions are the numbers of the actions of seg6local whose arguments are known here (SEG6_LOCAL_ACTION_… in
// linux/seg6_local.h).
var SRv6Actions = names(map[uint32]string{1: "End", 2: "End.X", 3: "End.T", 4: "End.DX2", 5: "End.DX6", 6: "End.DX4",
	7: "End.DT6", 8: "End.DT4", 16: "End.DT46"})

// unsayable is the error for a tunnel whose options are not all known here, or nil.
func (e *Encap) unsayable() error {
	if e == nil {
		return nil
	}
	if len(encapTypes[e.Type]) == 0 {
		return &UnknownWord{Word: e.Type}
	}
	if action, ok := e.Option("action"); ok {
		if _, known := SRv6Actions.Number(action); !known {
			return &UnknownWord{Word: action}
		}
	}
	return nil
}

func (out *argv) encap(e *Encap) {
	if e == nil {
		return
	}
	*out = append(*out, "encap", e.Type)
	for _, o := range e.Options {
		out.flag(o.Word, o.Word != "")
		out.flag(o.Value, o.Value != "")
	}
}

func byteText(keyword, value string) (string, error) {
	n, err := uint8s(keyword, value)
	return strconv.Itoa(n), err
}

func unsigned64Text(keyword, value string) (string, error) {
	n, err := strconv.ParseUint(value, 0, 64)
	if err != nil {
		return "", usage(value, "%s takes a whole number from 0 to 18446744073709551615", keyword)
	}
	return strconv.FormatUint(n, 10), nil
}

func tosText(keyword, value string) (string, error) {
	tos, err := typeOfService(keyword, value)
	return formatTypeOfService(tos), err
}

func ipv4Text(keyword, value string) (string, error) { return addressText(keyword, value, FamilyV4) }
func ipv6Text(keyword, value string) (string, error) { return addressText(keyword, value, FamilyV6) }

func addressText(keyword, value string, family Family) (string, error) {
	addr, err := newWords(nil, family).address(keyword, value)
	return addr.String(), err
}

// segments reads IPv6 addresses separated by commas.
func segments(keyword, value string) (string, error) {
	list := strings.Split(value, ",")
	for i, segment := range list {
		addr, err := netip.ParseAddr(segment)
		if err != nil || !addr.Is6() || addr.Zone() != "" {
			return "", usage(value, "%s takes IPv6 addresses separated by commas", keyword)
		}
		list[i] = addr.String()
	}
	return strings.Join(list, ","), nil
}

// labels reads MPLS labels (RFC 3032: 20 bits) separated by slashes.
func labels(_, value string) (string, error) {
	list := strings.Split(value, "/")
	for i, label := range list {
		n, ok := number(label, 0, 1<<20-1)
		if !ok {
			return "", usage(value, "mpls takes labels from 0 to %d separated by slashes", 1<<20-1)
		}
		list[i] = strconv.FormatInt(n, 10)
	}
	return strings.Join(list, "/"), nil
}
