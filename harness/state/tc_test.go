package state

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// guarded is a state with a filter of tc on eth0, which has the verdict, and programs with the id.
func guarded(verdict string, id uint32) *State {
	return &State{Namespaces: []Namespace{{Name: "a",
		Links: []Link{{Name: "eth0", XDP: []BPFProgram{{Name: "guard", ID: id, Mode: "generic"}}}},
		TCFilters: []TCFilter{
			{Dev: "eth0", Hook: "ingress", Priority: 9, Protocol: "ip", Kind: "matchall",
				Matches: []FilterMatch{{Key: "ip saddr", Values: []string{"10.77.1.0/24"}}},
				Actions: []TCAction{{Kind: "pedit", Sets: []FieldValue{{"ip daddr", "10.77.2.9"}}, Verdict: verdict}}},
			{Dev: "eth0", Hook: "ingress", Priority: 3, Protocol: "all", Kind: "bpf",
				Program: &BPFProgram{Name: "x.o", ID: id}, NotUnderstood: []string{"bpf"}},
		}}}}
}

// TestTCFilters: filters and programs belong to the configuration, the ids of programs do not.
func TestTCFilters(t *testing.T) {
	equal(t, Diff(guarded("pipe", 7).Normal(), guarded("pipe", 8).Normal()), []string(nil))
	rule := "a: filter dev eth0 ingress protocol ip pref 9 matchall chain 0 ip saddr 10.77.1.0/24 action pedit ip daddr " +
		"set 10.77.2.9 "
	equal(t, Diff(guarded("pipe", 7).Normal(), guarded("drop", 7).Normal()),
		[]string{rule + "pipe disappeared", rule + "drop appeared"})
	bare := guarded("pipe", 7)
	bare.Namespaces[0].Links[0].XDP, bare.Namespaces[0].TCFilters = nil, nil
	equal(t, Diff(bare.Normal(), guarded("pipe", 7).Normal())[0], "a: eth0: XDP none, then generic guard")
	first := guarded("pipe", 7).Normal().Namespaces[0].TCFilters[0]
	equal(t, TCFilterText(first), "filter dev eth0 ingress protocol all pref 3 bpf chain 0 x.o [not understood: bpf]")
}

// TestTCFiltersInAFile: a file keeps them, and a redacted one has none of their addresses.
func TestTCFiltersInAFile(t *testing.T) {
	s := guarded("pipe", 7)
	text, err := Encode(s, "p")
	if err != nil {
		t.Fatal(err)
	}
	back, err := Decode(text)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(s.Namespaces[0].TCFilters, back.Namespaces[0].TCFilters); diff != "" {
		t.Error(diff)
	}
	redacted, _ := Redact(s, []byte("key"))
	if text, err := Encode(redacted, "p"); err != nil || strings.Contains(string(text), "10.77.") {
		t.Errorf("%v:\n%s", err, text)
	}
}
