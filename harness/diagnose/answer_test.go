package diagnose

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	"netnscheck/harness/diagnose/causes"
	"netnscheck/harness/diagnose/finding"
	"netnscheck/harness/state"
)

var farEnd = Query{From: "a", To: netip.MustParseAddr("10.0.0.2")}

// TestClosedNamespace: a namespace that could not be entered is a doubt, not the place of a cause.
func TestClosedNamespace(t *testing.T) {
	s := &state.State{Namespaces: []state.Namespace{{Name: "a", Unread: []string{"it could not be entered"}}}}
	r := Diagnose(s, farEnd)
	if r.Outcome() != Unsure || r.Cause != nil || !slices.Contains(r.Doubts, "the namespace a could not be read") {
		t.Errorf("%+v", r)
	}
	if !slices.Equal(r.Unread, []string{"a: it could not be entered"}) {
		t.Errorf("unread: %q", r.Unread)
	}
}

// TestRedactedAnswer: an address that is not in a redacted state is a doubt.
func TestRedactedAnswer(t *testing.T) {
	s := Cabled()
	s.Redacted = true
	if r := Diagnose(s, farEnd); r.Outcome() != Sound {
		t.Errorf("%+v", r)
	}
	r := Diagnose(s, Query{From: "a", To: netip.MustParseAddr("10.0.0.9")})
	if r.Outcome() != Unsure || r.Cause != nil || !strings.Contains(r.Doubts[0], "is redacted") {
		t.Errorf("%+v", r)
	}
}

// TestHalfUpIsTheCause: a half-up pair is not reported in addition to a cause at its end that is down.
func TestHalfUpIsTheCause(t *testing.T) {
	c := &finding.Cause{Name: causes.NotAPort, Netns: "b", Link: "eth0",
		Repair: []string{"ip -n b link set eth0 master br0"}}
	half := finding.Cause{Name: causes.HalfUp, Netns: "b", Link: "eth0", Repair: []string{"ip -n b link set eth0 up"}}
	if !c.Includes(half) {
		t.Error("told twice")
	}
	if half.Netns = "a"; c.Includes(half) {
		t.Error("another pair is not told")
	}
}

// TestOutcomes: a cause outweighs unread parts; remarks alone are no cause.
func TestOutcomes(t *testing.T) {
	for _, c := range []struct {
		causes []finding.Cause
		unread []string
		want   Outcome
	}{
		{nil, nil, Sound},
		{nil, []string{"b: links"}, Unsure},
		{[]finding.Cause{{Name: causes.LoopbackDown}}, nil, Sound},
		{[]finding.Cause{{Name: causes.LoopbackDown}}, []string{"b: links"}, Unsure},
		{[]finding.Cause{{Name: causes.PortBlocked, Passes: true}}, nil, Sound},
		{[]finding.Cause{{Name: causes.PortBlocked}}, nil, Faulty},
		{[]finding.Cause{{Name: causes.LoopbackDown}, {Name: causes.HalfUp}}, []string{"b: links"}, Faulty},
	} {
		if got := (&Survey{c.causes, c.unread}).Outcome(); got != c.want {
			t.Errorf("%+v: %d, want %d", c, got, c.want)
		}
	}
	doubt := &Report{Doubts: []string{"?"}}
	if doubt.Outcome() != Unsure {
		t.Error("a doubt is no all-clear")
	}
	if doubt.Cause = new(finding.Cause); doubt.Outcome() != Faulty {
		t.Error("a cause is one, whatever is in doubt")
	}
}
