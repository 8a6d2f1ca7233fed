package session

import (
	"bytes"
	"io"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"netnscheck/harness/internal/session/wire"
	"netnscheck/harness/sitting"
	"netnscheck/harness/state"
)

// TestLateNewsWaitForNobody: a terminal that nobody reads, such as that of a stopped `lab attach`, is not told late
// news; it would hold up the desk, and so all terminals and the end of the lab.
func TestLateNewsWaitForNobody(t *testing.T) {
	var out bytes.Buffer
	s := &session{out: wire.NewWriter(&out), terminals: map[uint32]*terminal{}}
	d := &desk{news: []sitting.News{{Now: []sitting.Check{{Text: "`lo` is up", Status: sitting.Holds}}, OutOf: 1}}}
	s.judge.Store(d)
	one := &terminal{session: s, number: 2, window: wire.NewWindow(), prompt: []byte("$ ")}
	one.size.Store(&wire.Size{Rows: 24, Columns: 80})
	one.idle.Store(true)
	s.terminals[2] = one
	one.window.Use(wire.WindowSize)
	if s.late(); out.Len() > 0 || len(d.news) != 1 {
		t.Errorf("%q was told, %d are left", out.String(), len(d.news))
	}
	one.window.Taken(wire.WindowSize)
	if s.late(); !strings.Contains(out.String(), "lo") || len(d.news) != 0 {
		t.Errorf("%q was told, %d are left", out.String(), len(d.news))
	}
}

// TestALargeNetworkIsAnswered: who asks is answered however large the network is that a learner makes.
func TestALargeNetworkIsAnswered(t *testing.T) {
	large := &sitting.View{Step: 1, State: &state.State{Namespaces: []state.Namespace{
		{Name: strings.Repeat("x", wire.MaxMessage)}, // as much as many links
	}}}
	for _, more := range []bool{false, true} {
		var got []wire.Reply
		send := fitting(func(r wire.Reply) error {
			err := wire.NewWriter(io.Discard).Message(r)
			if err == nil {
				got = append(got, r)
			}
			return err
		})
		if err := send(wire.Reply{View: large, More: more}); err != nil || len(got) != 1 {
			t.Fatalf("%v, %d replies", err, len(got))
		}
		if told := got[0]; more != (told.Error == "" && told.View != nil && told.View.State == nil &&
			told.View.Step == 1) {
			t.Errorf("more %v: %+v", more, told)
		}
	}
	if large.State == nil {
		t.Error("the view was changed")
	}
}

// TestUndoneIsBounded: what could not be done again is told, but neither at any length nor however much it is.
func TestUndoneIsBounded(t *testing.T) {
	all := bounded(slices.Repeat([]string{strings.Repeat("ä", 1<<20)}, 1000))
	if len(all) != mostUndone+1 || len(all[0]) > longestUndone || !utf8.ValidString(all[0]) ||
		all[mostUndone] != "… and 980 more" {
		t.Errorf("%d, %d bytes, %.40q", len(all), len(all[0]), all[len(all)-1])
	}
	if all := bounded([]string{"a", "b"}); !slices.Equal(all, []string{"a", "b"}) {
		t.Errorf("%q", all)
	}
}
