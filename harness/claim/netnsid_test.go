package claim

import (
	"strings"
	"testing"

	"netnscheck/harness/state"
)

func TestKnowsByID(t *testing.T) {
	known := Evidence{State: &state.State{Namespaces: []state.Namespace{
		{Name: state.Host, NetnsIDs: []state.NetnsID{{ID: 0, Netns: "b"}, {ID: 3}, {ID: 7, Netns: "a"}}},
		{Name: "a", OtherNames: []string{"also-a"}, Inode: 1},
		{Name: "a-again", Inode: 1},
		{Name: "b", NetnsIDs: []state.NetnsID{{ID: 31, Netns: "a"}}},
		{Name: "c"},
	}}}
	for _, c := range []struct {
		sentence string
		holds    bool
		found    string
	}{
		{"`host` knows `a` by the id `7`", true, "the id is 7"},
		{"`host` knows `also-a` by the id `7`", true, "the id is 7"},
		{"`host` knows `a-again` by the id `7`", true, "the id is 7"},
		{"`host` knows `b` by the id `0`", true, "the id is 0"},
		{"`b` knows `a` by the id `31`", true, "the id is 31"},
		{"`b` knows `a` by the id `7`", false, "the id is 31"},
		{"`host` knows `c` by the id `7`", false, "host has no id for c; 7 is that of a"},
		{"`host` knows `c` by the id `3`", false, "host has no id for c"}, // it stands for a namespace out of sight
		{"`host` knows `c` by no id", true, "host has no id for c"},
		{"`a` knows `a` by no id", true, "a has no id for a"},
		{"`host` knows `b` by no id", false, "the id is 0"},
		{"`nix` knows `a` by no id", false, "there is no namespace nix"},
		{"`a` knows `nix` by no id", false, "there is no namespace nix"},
	} {
		claim, err := Parse(c.sentence)
		if err != nil {
			t.Error(err)
			continue
		}
		if got := claim.Judge(known); got.Holds != c.holds || got.Found != c.found || got.Err != nil {
			t.Errorf("%s: %+v, want %v, %q", c.sentence, got, c.holds, c.found)
		}
	}
	for sentence, want := range map[string]string{
		"`a` knows `b` by the id `-1`":    "check: expected an id from 0 to 2147483647, found \"-1\"",
		"`a` knows `b/c` by no id":        "check: expected the name of a namespace, found \"b/c\"",
		"`a` knows `b` by the number `1`": "the nearest form is “`N` knows `M` by the id `5`”",
	} {
		if _, err := Parse(sentence); err == nil || !strings.HasSuffix(err.Error(), want) {
			t.Errorf("%s: %v, want … %s", sentence, err, want)
		}
	}
}
