package claim

import (
	"testing"

	"netnscheck/harness/state"
)

// TestPeerInANamespaceOfTwoNames: a lab has one namespace for each name, also if two names are of the same.
func TestPeerInANamespaceOfTwoNames(t *testing.T) {
	vb := []state.Link{{Name: "vb", Kind: "veth"}}
	known := Evidence{State: &state.State{Namespaces: []state.Namespace{
		{Name: "a", Inode: 1, Links: []state.Link{
			{Name: "va", Kind: "veth", Peer: &state.LinkRef{Netns: "b", Name: "vb"}},
		}},
		{Name: "b", Inode: 2, Links: vb},
		{Name: "b-again", Inode: 2, Links: vb},
		{Name: "c", Inode: 3, Links: vb},
	}}}
	for sentence, holds := range map[string]bool{
		"`va` in `a` is the peer of `vb` in `b`":       true,
		"`va` in `a` is the peer of `vb` in `b-again`": true,
		"`va` in `a` is the peer of `vb` in `c`":       false,
	} {
		claim, err := Parse(sentence)
		if err != nil {
			t.Fatal(err)
		}
		if got := claim.Judge(known); got.Holds != holds || got.Found != "the peer of va is vb in b" {
			t.Errorf("%s: %+v, want %v", sentence, got, holds)
		}
	}
}
