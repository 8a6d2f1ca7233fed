package topology

import (
	"testing"

	"netnscheck/harness/state"
)

// TestWhatIsNotFollowedIsOutOfSight: frames leave the state by links of a kind that is not followed.
func TestWhatIsNotFollowedIsOutOfSight(t *testing.T) {
	for kind, want := range map[string]bool{"": true, "tun": true, "bond": true, "wireguard": true, "bridge": false,
		"vxlan": false, "veth": false} {
		if got := OutOfSight(&state.Link{Kind: kind, Up: true, Carrier: true}); got != want {
			t.Errorf("%q: %v", kind, got)
		}
	}
	if !OutOfSight(&state.Link{Kind: "veth", Up: true, Carrier: true, Peer: &state.LinkRef{Hidden: true}}) {
		t.Error("a veth whose peer is hidden")
	}
	if OutOfSight(&state.Link{Kind: "", Up: true}) {
		t.Error("a card without a signal")
	}
}
