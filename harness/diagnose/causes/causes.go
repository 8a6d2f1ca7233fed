// Package causes is the closed vocabulary of the diagnosis, with a page on each cause: what it is, how it shows itself, what looks the
// same, how to prove it and how to mend it. It is pure: it imports nothing of this project, anybody may import it, and it never looks at a
// state (diagnose does).
package causes

import (
	"embed"
	"strings"
)

//go:embed pages/*.md
var pages embed.FS

// Group is a part of the vocabulary, by where on a packet's way the cause is.
type Group struct {
	Title string
	Names []string
}

// Groups are the whole vocabulary, in the order of the way.
var Groups = []Group{
	{"Source", []string{
		"no-namespace", "not-a-namespace", "no-interface", "loopback-down", "local-rule-missing", "ipv6-disabled", "address-tentative",
		"address-duplicate", "scope-missing",
	}},
	{"Route", []string{
		"link-down", "no-address", "prefix-mismatch", "connected-route-missing", "no-route", "route-unreachable", "route-prohibit",
		"route-blackhole", "route-throw", "rule-diverts", "gateway-nowhere", "gateway-wrong", "route-out-of-wrong-link", "routing-loop",
	}},
	{"Link", []string{
		"peer-down", "no-carrier", "same-namespace", "arp-off", "queue-drops", "mtu-exceeded", "mtu-mismatch", "mtu-black-hole",
	}},
	{"Segment: bridges, tunnels, neighbours", []string{
		"neighbour-wrong", "address-nowhere", "address-off-segment", "arp-ignored", "bridge-down", "not-a-port", "port-down", "port-blocked",
		"port-isolated", "address-on-port", "vlan-mismatch", "vni-mismatch", "tunnel-port-mismatch", "tunnel-remote-missing",
		"macvlan-parent", "duplicate-mac", "duplicate-address",
	}},
	{"Router, filter, destination", []string{
		"forwarding-off", "reverse-path-filter", "filter-output", "filter-forward", "filter-input", "filter-bridge", "filter-ingress",
		"filter-arp", "echo-ignored", "translation-missing", "not-listening",
	}},
	{"What a review lists besides", []string{
		"half-up", "subnet-overlap", "odd-address", "bridge-without-ports", "kept-by-process", "peer-out-of-sight",
	}},
}

// Names is the vocabulary in one list.
func Names() []string {
	var all []string
	for _, g := range Groups {
		all = append(all, g.Names...)
	}
	return all
}

// Page is the page on a cause, in Markdown; false for a word that is none of the vocabulary.
func Page(name string) (string, bool) {
	text, err := pages.ReadFile("pages/" + name + ".md")
	return string(text), err == nil
}

// Summary is the first paragraph of the page: the cause in a sentence.
func Summary(name string) string {
	text, _ := Page(name)
	_, rest, _ := strings.Cut(text, "\n\n")
	summary, _, _ := strings.Cut(rest, "\n\n")
	return strings.ReplaceAll(summary, "\n", " ")
}
