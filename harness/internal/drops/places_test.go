package drops

import "testing"

// TestFunction has symbols as /proc/kallsyms shows them.
func TestFunction(t *testing.T) {
	for symbol, want := range map[string]string{
		"ip_forward":                           "ip_forward",
		"ip_forward.cold":                      "ip_forward",
		"icmp_rcv.part.0":                      "icmp_rcv",
		"ip_rcv_core.constprop.0.isra.0":       "ip_rcv_core",
		"nft_do_chain.cold\t[nf_tables]":       "nft_do_chain",
		"nft_do_chain\t[nf_tables]":            "nft_do_chain",
		"ip6_forward.llvm.3284905723498572345": "ip6_forward",
		".ip_rcv":                              ".ip_rcv", // the entry of a function, of older PowerPC
	} {
		if got := function(symbol); got != want {
			t.Errorf("%q: %s", symbol, got)
		}
	}
}
