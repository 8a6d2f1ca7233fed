package session

import (
	"bytes"
	"io"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"netnscheck/harness/internal/session/shell"
	"netnscheck/harness/internal/session/wire"
	"netnscheck/harness/lab"
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

// TestLateChangeIsTold: what a command has changed is told above its prompt if that did not wait for it, but not what
// changes by itself.
func TestLateChangeIsTold(t *testing.T) {
	d := deskOf(t, pasted)
	on := terminalOf(d)
	var out bytes.Buffer
	on.session.out = wire.NewWriter(&out)
	taken := make(chan struct{}, 8)
	d.changed = func() { on.session.late(); taken <- struct{}{} }
	prompts := func() {
		on.found(shell.Event{Kind: 'S'})
		on.found(shell.Event{Text: []byte("$ ")})
	}
	does := func(command string) {
		if err := d.lab.Do(t.Context(), lab.Netlink(), command); err != nil {
			t.Fatal(err)
		}
	}
	prompts()
	<-taken
	out.Reset()

	d.work.Lock() // somebody else is being judged, for longer than the prompt waits
	on.write([]byte("ip netns add owed\r"))
	does("ip netns add owed")
	prompts()
	d.work.Unlock()
	<-taken
	if told := out.String(); !strings.Contains(told, "owed") {
		t.Errorf("after the prompt %q was told", told)
	}
	out.Reset()

	does("ip netns add another")
	d.work.Lock()
	err := d.judge(t.Context(), lab.Change{Heard: lab.Heard{Everything: true}}, learner{})
	d.work.Unlock()
	if err != nil || len(d.news) == 0 {
		t.Fatalf("%v, news %v", err, d.news)
	}
	if on.session.late(); out.Len() > 0 {
		t.Errorf("of somebody else %q was told", out.String())
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
