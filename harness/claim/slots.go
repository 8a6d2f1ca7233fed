package claim

import (
	"fmt"
	"net"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"netnscheck/harness/nearest"
)

// slots are the kinds of arguments that several checks share, by their examples in the forms. Each turns the text of a
// code span into a value, or returns an error with what was expected.
var slots = map[string]Slot{
	"N": netnsName, "M": netnsName,
	"X": ifaceName, "Y": ifaceName, "br0": ifaceName, "p2": ifaceName,
	"192.168.2.102/24":  prefix,
	"02:00:00:00:00:01": hardwareAddr,
	"10.0.9.1":          plainAddr,
	"10.0.0.1":          plainAddr,
	"10.30.2.2":         plainAddr,
	"192.168.2.103":     scopedAddr,
	"1472":              number("a payload in bytes", 1, 65507),
	"80":                number("a TCP port", 1, 65535),
}

var (
	netnsName = asText("the name of a namespace", checkNetnsName)
	ifaceName = asText("the name of an interface", CheckIfaceName)
	prefix    = Slot{"an address with its prefix length, such as 192.168.2.102/24", readPrefix}
	plainAddr = Slot{"an IP address without a prefix length", readPlainAddr}
	// scopedAddr may have a zone, for link-local addresses.
	scopedAddr   = Slot{"an IP address without a prefix length, such as 192.168.2.103 or fe80::1%eth0", readScopedAddr}
	hardwareAddr = Slot{"a MAC address such as 02:00:00:00:00:01", readHardwareAddr}
)

// asText is a slot whose value is the text itself.
func asText(what string, check func(string) error) Slot {
	return Slot{what, func(text string) (any, error) { return text, check(text) }}
}

func anything(what string) Slot { return asText(what, func(string) error { return nil }) }

func expected(text, what string) error { return fmt.Errorf("expected %s, found %q", what, text) }

func matching(pattern, what string) Slot {
	re := regexp.MustCompile(pattern)
	return asText(what, func(text string) error {
		if !re.MatchString(text) {
			return expected(text, what)
		}
		return nil
	})
}

func oneWord(what string) Slot { return matching(`^\S+$`, what) }

// oneOfThe is a slot for one of several words.
func oneOfThe(what string, words []string) Slot {
	return asText(what+": "+strings.Join(words, ", "), oneOf(what, words))
}

// oneOf refuses all texts but these words: with the nearest one, or with all if none is near.
func oneOf(what string, words []string) func(string) error {
	return func(text string) error {
		if slices.Contains(words, text) {
			return nil
		}
		help := nearest.DidYouMean(text, words)
		if help == "" {
			help = " (known: " + strings.Join(words, ", ") + ")"
		}
		return fmt.Errorf("unknown %s %q%s", what, text, help)
	}
}

// checkNetnsName refuses a name that no file in /run/netns can have.
func checkNetnsName(name string) error {
	if name == "" || name == "." || name == ".." || len(name) > 255 || strings.ContainsAny(name, "/ \t\n\x00") {
		return expected(name, "the name of a namespace")
	}
	return nil
}

// CheckIfaceName refuses a text that cannot be the name or an alternative name of an interface.
func CheckIfaceName(name string) error {
	if name == "" || name == "." || name == ".." || len(name) > 127 || strings.ContainsAny(name, "/: \t\n\x00") {
		return expected(name, "the name of an interface")
	}
	return nil
}

func readPrefix(text string) (any, error) {
	p, err := netip.ParsePrefix(text)
	if err == nil {
		return p, nil
	}
	if _, addrErr := netip.ParseAddr(text); addrErr == nil && !strings.Contains(text, "/") {
		return nil, fmt.Errorf("the prefix length is missing in %q: expected an address such as 192.168.2.102/24", text)
	}
	return nil, expected(text, "an address with its prefix length, such as 192.168.2.102/24")
}

func readPlainAddr(text string) (any, error) {
	addr, err := netip.ParseAddr(text)
	switch {
	case err != nil:
		return nil, expected(text, "an IP address without a prefix length")
	case addr.Zone() != "":
		return nil, expected(text, "an IP address without an interface")
	}
	return addr, nil
}

func readScopedAddr(text string) (any, error) {
	addr, err := netip.ParseAddr(text)
	switch {
	case err != nil:
		return nil, expected(text, "an IP address without a prefix length, such as 192.168.2.103 or fe80::1%eth0")
	case addr.Zone() != "":
		return addr, CheckIfaceName(addr.Zone())
	}
	return addr, nil
}

func readHardwareAddr(text string) (any, error) {
	mac, err := net.ParseMAC(text)
	if err != nil {
		return nil, expected(text, "a MAC address such as 02:00:00:00:00:01")
	}
	return mac, nil
}

func number(what string, least, most int) Slot {
	what = fmt.Sprintf("%s from %d to %d", what, least, most)
	return Slot{what, func(text string) (any, error) {
		n, err := strconv.Atoi(text)
		if err != nil || n < least || n > most {
			return nil, expected(text, what)
		}
		return n, nil
	}}
}

// written is a route or a rule, and its text.
type written[T any] struct {
	text  string
	value T
}
