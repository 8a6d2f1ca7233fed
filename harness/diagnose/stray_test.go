package diagnose

import (
	"net/netip"
	"strings"
	"testing"

	"netnscheck/harness/diagnose/causes"
	"netnscheck/harness/diagnose/review"
	"netnscheck/harness/state"
)

// TestStrays: a file with the name of a namespace is reported for what it is, by a review and by a query from it, and
// no repair removes content.
func TestStrays(t *testing.T) {
	for kind, want := range map[string]struct{ says, repair, advice string }{
		"":                   {"is a file on which no namespace is mounted", "rm /run/netns/x; ip netns add x", ""},
		state.StrayDirectory: {"is an empty directory", "rmdir /run/netns/x; ip netns add x", ""},
		state.StrayFullDirectory: {"is a directory that is not empty", "",
			"mv /run/netns/x ELSEWHERE; ip netns add x"},
		state.StrayFullFile: {"is a file that is not empty", "", "mv /run/netns/x ELSEWHERE; ip netns add x"},
		state.StrayDangling: {"is a link to /there, which does not exist", "rm /run/netns/x; ip netns add x", ""},
		state.StrayLink:     {"is a link to /there, which is no namespace", "rm /run/netns/x; ip netns add x", ""},
		state.StrayMount:    {"is a mount of something other", "", "umount /run/netns/x"},
		state.StrayFIFO:     {"is a FIFO", "", "mv /run/netns/x ELSEWHERE; ip netns add x"},
		state.StraySocket:   {"is a socket", "", "mv /run/netns/x ELSEWHERE; ip netns add x"},
		state.StrayDevice:   {"is a device", "", "mv /run/netns/x ELSEWHERE; ip netns add x"},
	} {
		s := &state.State{Namespaces: []state.Namespace{{Name: "host"}}, NotNamespaces: []string{"x"}}
		if kind != "" { // nothing is known of a plain file, or of a name in an old state
			s.Strays = []state.Stray{{Name: "x", Kind: kind, Target: "/there"}}
		}
		found := review.Of(chartOfState(s))
		if d := Diagnose(s, Query{From: "x", To: netip.MustParseAddr("10.0.0.1")}); d.Cause != nil {
			found = append(found, *d.Cause)
		}
		if len(found) != 2 {
			t.Fatalf("%q: %d findings, want those of the review and of the question", kind, len(found))
		}
		for _, c := range found {
			if c.Name != causes.NotANamespace || c.Netns != "x" ||
				!strings.Contains(c.Says, "/run/netns/x "+want.says) {
				t.Errorf("%q: %s in %s: %s; want %q in it", kind, c.Name, c.Netns, c.Says, want.says)
			}
			if got := strings.Join(c.Repair, "; "); got != want.repair {
				t.Errorf("%q is mended by %q, want %q", kind, got, want.repair)
			}
			if got := strings.Join(c.Advice, "; "); got != want.advice {
				t.Errorf("%q: the advice is %q, want %q", kind, got, want.advice)
			}
		}
	}
}
