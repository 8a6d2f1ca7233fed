package scenario

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"netnscheck/harness/diagnose/causes"
	"netnscheck/harness/scenario/operation"
)

// slots are the kinds of arguments, under the example by which the forms name them. Each turns the text of a code span
// into a value, or says what it expected.
var slots = map[string]func(text string) (any, error){
	"N": asText(checkNetns), "M": asText(checkNetns),
	"X": asText(checkIface), "Y": asText(checkIface), "br0": asText(checkIface), "p2": asText(checkIface),
	"veth":                       asText(oneWord("a link kind such as veth")),
	"192.168.2.102/24":           prefix,
	"02:00:00:00:00:01":          hardwareAddr,
	"10.0.9.1":                   plainAddr,
	"10.0.0.1":                   plainAddr,
	"10.30.2.2":                  plainAddr,
	"192.168.2.103":              scopedAddr,
	"1500":                       number("an MTU", 1, 1<<31-1),
	"1472":                       number("a payload in bytes", 1, 65507),
	"80":                         number("a TCP port", 1, 65535),
	"default via 10.0.0.1":       routeText,
	"from 10.0.0.0/8 lookup 100": ruleText,
	"net.ipv4.ip_forward":        asText(matching(`^[^\s.]+([./][^\s.]+)+$`, "a sysctl such as net.ipv4.ip_forward")),
	"1":                          asText(anything),
	"txqueuelen":                 asText(oneOf("attribute", attributes)),
	"500":                        asText(anything),
	"tentative":                  asText(oneOf("address state", addressStates)),
	"IpInReceives":               asText(matching(`^[A-Z][A-Za-z0-9]*$`, "a counter as nstat names it, such as IpInReceives (rx_packets and the like are counters of `X`)")),
	"rx_packets":                 asText(matching(`^[a-z]+(_[a-z0-9]+)*$`, "an interface's counter such as rx_packets")),
	"3":                          growth,
	"link add X":                 event,
	"vnic-prodns":                asText(oneWord("a name")),
	"vnix-prodns":                asText(oneWord("a name")),
	"link-down":                  cause,
}

// attributes of a link that a check can ask for.
var attributes = []string{
	"txqueuelen", "alias", "group", "altname", "promiscuity", "numtxqueues", "numrxqueues", "gso_max_size", "qdisc",
	"operstate", "ifindex", "arp", "offload:tso", "offload:gro",
}

// addressStates are the flags of an address that a check can ask for.
var addressStates = []string{"tentative", "dadfailed", "deprecated", "permanent", "secondary"}

var (
	eventObjects = []string{"link", "addr", "route", "neigh"}
	eventVerbs   = []string{"add", "change", "del"}
)

func asText(check func(string) error) func(string) (any, error) {
	return func(text string) (any, error) { return text, check(text) }
}

func anything(string) error { return nil }

func expected(text, what string) error { return fmt.Errorf("expected %s, found %q", what, text) }

func matching(pattern, what string) func(string) error {
	re := regexp.MustCompile(pattern)
	return func(text string) error {
		if !re.MatchString(text) {
			return expected(text, what)
		}
		return nil
	}
}

func oneWord(what string) func(string) error { return matching(`^\S+$`, what) }

func oneOf(what string, words []string) func(string) error {
	return func(text string) error {
		if !slices.Contains(words, text) {
			return fmt.Errorf("unknown %s %q%s (known: %s)", what, text, didYouMean(text, words), strings.Join(words, ", "))
		}
		return nil
	}
}

// checkNetns refuses what cannot be the name of a file under /run/netns.
func checkNetns(name string) error {
	if name == "" || name == "." || name == ".." || len(name) > 255 || strings.ContainsAny(name, "/ \t\n\x00") {
		return expected(name, "the name of a namespace")
	}
	return nil
}

// checkIface refuses what can be neither the name nor an alternative name of an interface.
func checkIface(name string) error {
	if name == "" || name == "." || name == ".." || len(name) > 127 || strings.ContainsAny(name, "/: \t\n\x00") {
		return expected(name, "the name of an interface")
	}
	return nil
}

func prefix(text string) (any, error) {
	p, err := netip.ParsePrefix(text)
	if err == nil {
		return p, nil
	}
	if _, addrErr := netip.ParseAddr(text); addrErr == nil && !strings.Contains(text, "/") {
		return nil, fmt.Errorf("the prefix length is missing in %q: expected an address such as 192.168.2.102/24", text)
	}
	return nil, expected(text, "an address with its prefix length, such as 192.168.2.102/24")
}

func plainAddr(text string) (any, error) {
	addr, err := netip.ParseAddr(text)
	switch {
	case err != nil:
		return nil, expected(text, "an IP address without a prefix length")
	case addr.Zone() != "":
		return nil, expected(text, "an IP address without an interface")
	}
	return addr, nil
}

func scopedAddr(text string) (any, error) {
	addr, err := netip.ParseAddr(text)
	switch {
	case err != nil:
		return nil, expected(text, "an IP address without a prefix length, such as 192.168.2.103 or fe80::1%eth0")
	case addr.Zone() != "":
		return addr, checkIface(addr.Zone())
	}
	return addr, nil
}

func hardwareAddr(text string) (any, error) {
	mac, err := net.ParseMAC(text)
	if err != nil {
		return nil, expected(text, "a MAC address such as 02:00:00:00:00:01")
	}
	return mac, nil
}

func number(what string, least, most int) func(string) (any, error) {
	return func(text string) (any, error) {
		n, err := strconv.Atoi(text)
		if err != nil || n < least || n > most {
			return nil, expected(text, fmt.Sprintf("%s from %d to %d", what, least, most))
		}
		return n, nil
	}
}

func growth(text string) (any, error) {
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil || n == 0 {
		return nil, expected(text, "a number from 1 (0 is written: did not grow)")
	}
	return n, nil
}

var causeWord = matching(`^[a-z0-9]+(-[a-z0-9]+)*$`, "a cause such as link-down")

func cause(text string) (any, error) {
	if err := causeWord(text); err != nil {
		return nil, err
	}
	c, ok := causes.Parse(text)
	if !ok {
		return nil, fmt.Errorf("unknown cause %q%s", text, didYouMean(text, causes.Words()))
	}
	return c, nil
}

// written is a route or a rule with the words it was written in.
type written[T any] struct {
	text  string
	value T
}

func routeText(text string) (any, error) {
	route, err := operation.ParseRoute(strings.Fields(text))
	if err != nil {
		return nil, notA("route", text, err)
	}
	return written[operation.Route]{text, route}, nil
}

func ruleText(text string) (any, error) {
	rule, err := operation.ParseRule(strings.Fields(text))
	if err != nil {
		return nil, notA("rule", text, err)
	}
	return written[operation.Rule]{text, rule}, nil
}

// notA says why a text is no route or no rule, and which word was meant if one is near.
func notA(what, text string, err error) error {
	var unknown *operation.UnknownWord
	if errors.As(err, &unknown) && unknown.Nearest != "" {
		return fmt.Errorf("%q is no %s: %w, did you mean %s?", text, what, err, unknown.Nearest)
	}
	return fmt.Errorf("%q is no %s: %w", text, what, err)
}

func event(text string) (any, error) {
	words := strings.Fields(text)
	if len(words) < 3 {
		return nil, expected(text, "an event such as link add X: what, add, change or del, and which")
	}
	err := errors.Join(oneOf("event object", eventObjects)(words[0]), oneOf("event", eventVerbs)(words[1]))
	return SawEvent{Object: words[0], Verb: words[1], Detail: strings.Join(words[2:], " ")}, err
}
