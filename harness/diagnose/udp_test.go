package diagnose

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	"netnscheck/harness/diagnose/causes"
	"netnscheck/harness/state"
)

// TestDatagram: a datagram needs a socket of UDP, passes the filters as one of UDP, and its answer comes from the
// address that the socket has, or else the route prefers.
func TestDatagram(t *testing.T) {
	socket := func(addr string) state.Listener {
		return state.Listener{Proto: "udp", Addr: netip.MustParseAddr(addr), Port: 80}
	}
	second := func(b *state.Namespace) {
		b.Links[1].Addresses = slices.Insert(b.Links[1].Addresses, 0,
			state.Address{Prefix: netip.MustParsePrefix("10.0.0.7/24"), Scope: "global"})
	}
	for what, c := range map[string]struct {
		breaks func(b *state.Namespace)
		want   causes.Cause
		says   string // in the cause, or in a doubt
	}{
		"a socket of TCP": {func(*state.Namespace) {}, causes.NotListening, "UDP port 80"},
		"a socket for all": {func(b *state.Namespace) { b.Listeners = append(b.Listeners, socket("0.0.0.0")) }, 0,
			""},
		"a socket for another address": {func(b *state.Namespace) { b.Listeners = append(b.Listeners, socket("10.0.0.9")) },
			causes.NotListening, "only on 10.0.0.9"},
		"a filter": {func(b *state.Namespace) {
			b.Listeners = append(b.Listeners, socket("10.0.0.2"))
			b.Filters = []state.FilterTable{chainOf("input", "accept",
				[]state.FilterRule{when("tcp dport", "80", "accept"), when("udp dport", "80", "drop")})}
		}, causes.FilterInput, ""},
		"a socket for all of two": {func(b *state.Namespace) {
			b.Listeners = append(b.Listeners, socket("0.0.0.0"))
			second(b)
		}, 0, "it answers from 10.0.0.7, and not from 10.0.0.2"},
		"a socket for one of two": {func(b *state.Namespace) {
			b.Listeners = append(b.Listeners, socket("10.0.0.2"))
			second(b)
		}, 0, ""},
	} {
		t.Run(what, func(t *testing.T) {
			s := Cabled()
			c.breaks(s.Namespace("b"))
			r := Diagnose(s, Query{From: "a", To: netip.MustParseAddr("10.0.0.2"), Port: 80, UDP: true})
			var found causes.Cause
			told := strings.Join(r.Doubts, "\n")
			if r.Cause != nil {
				found, told = r.Cause.Name, told+r.Cause.Says
			}
			if found != c.want || !strings.Contains(told, c.says) || c.want == 0 && c.says == "" && len(r.Doubts) > 0 {
				t.Errorf("the cause is %+v, in doubt is %q; want %s, %q", r.Cause, r.Doubts, c.want, c.says)
			}
			if text := r.Headline(); !strings.Contains(text, "10.0.0.2 on UDP port 80") {
				t.Error(text)
			}
		})
	}
}
