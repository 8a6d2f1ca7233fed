package lab_test

import (
	"testing"
	"time"

	"netnscheck/harness/lab"
	"netnscheck/harness/scenario"
)

// TestRefusalsAreNoSilence: a closed port, and one that is rejected by ICMP, are silent beyond the limit of ICMP
// errors. However often they are asked, that is not taken for silence; a dropped packet is.
func TestRefusalsAreNoSilence(t *testing.T) {
	l := started(t, append(cable,
		"ip netns exec testns nft 'add table ip f; add chain ip f in { type filter hook input "+
			"priority 0; }; add rule ip f in tcp dport 9 reject; add rule ip f in udp dport 7 drop'")...)
	for _, text := range []string{"`host` hears no answer from `10.0.0.2` on UDP port `9` (`silence`)",
		"`host` does not connect to `10.0.0.2` on TCP port `9` (`silence`)"} {
		check := scenario.Check{Claim: claimOf(t, text), Within: 2 * time.Second}
		if a := l.Await(t.Context(), []scenario.Check{check}, (*lab.Baseline)(nil))[0]; a.Outcome != scenario.Fail {
			t.Errorf("%s: %s, %s %s", text, a.Outcome, a.Found, a.Reason)
		}
	}
	awaitAll(t.Context(), t, l, "`host` hears no answer from `10.0.0.2` on UDP port `7` (`silence`)")
}
