package session

import (
	"io"
	"os"
	"testing"

	"netnscheck/harness/internal/session/wire"
	"netnscheck/harness/scenario"
)

// TestJoinWhileReset: a terminal that joins while the lab is made anew gets a shell in the new lab, and who watches
// sees it.
func TestJoinWhileReset(t *testing.T) {
	sc, err := scenario.Parse("meanwhile.md", []byte(meanwhile))
	if err != nil {
		t.Fatal(err)
	}
	in, toLab, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	fromLab, out, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() {
		err := play(t.Context(), in, out)
		out.Close()
		ended <- err
	}()
	to, from := wire.NewWriter(toLab), wire.NewReader(fromLab)
	send := func(message any) {
		t.Helper()
		if err := to.Message(message); err != nil {
			t.Fatal(err)
		}
	}
	size := wire.Size{Rows: 24, Columns: 80}
	send(wire.Begin{Scenario: sc, Source: sc.Source, Main: wire.Open{Terminal: Main, Shell: "sh", Size: size}})
	const watch, reset, joined = 1, 2, Main + 1
	answered, prompted := false, false
	for !answered || !prompted {
		f, err := from.Next()
		if err != nil {
			t.Fatal(err)
		}
		var m wire.FromLab
		switch {
		case f.Kind == wire.Bytes:
			prompted = prompted || f.Terminal == joined
			continue
		case f.Decode(&m) != nil:
			t.Fatalf("a message that cannot be read: %q", f.Payload)
		}
		switch {
		case m.Failed != nil:
			t.Fatalf("terminal %d: %s", m.Failed.Terminal, m.Failed.Text)
		case m.Ready != nil:
			send(wire.ToLab{Ask: &wire.Ask{Number: watch, Request: wire.Request{Do: wire.Watch}}})
		case m.Answer != nil && m.Answer.Number == watch && !answered:
			answered = true
			send(wire.ToLab{Ask: &wire.Ask{Number: reset, Request: wire.Request{Do: wire.Reset}}})
			send(wire.ToLab{Open: &wire.Open{Terminal: joined, Shell: "sh", Size: size}})
		}
	}
	toLab.Close()
	go io.Copy(io.Discard, fromLab)
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
