package session

import (
	"errors"
	"io"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"netnscheck/harness/internal/labtest"
	"netnscheck/harness/internal/session/wire"
	"netnscheck/harness/scenario"
	"netnscheck/harness/sitting"
)

// TestJoinWhileReset: a terminal that joins while the lab is made anew gets a shell in the new lab, and who watches
// sees it.
func TestJoinWhileReset(t *testing.T) {
	p := plays(t, wire.Begin{Scenario: scenarioOf(t, meanwhile)})
	const watch, reset, joined = 1, 2, Main + 1
	answered, anew, prompted := false, false, false
	for !answered || !prompted {
		f, m := p.next()
		switch {
		case f.Kind == wire.Bytes && f.Terminal == joined:
			if prompted = true; !anew {
				t.Fatalf("it has a shell before the lab is new: %q", f.Payload)
			}
		case f.Kind == wire.Bytes:
			anew = anew || strings.Contains(string(f.Payload), "has begun anew")
		case m.Ready != nil:
			p.send(wire.ToLab{Ask: &wire.Ask{Number: watch, Request: wire.Request{Do: wire.Watch}}})
		case m.Answer != nil && m.Answer.Number == watch && !answered:
			answered = true
			main := p.session.terminal(Main)
			holds, goOn := make(chan bool), make(chan bool) // the reset, while it hangs up
			go main.hung.Do(func() {
				close(holds)
				<-goOn
				main.window.Close()
				main.seat.Master.Close()
			})
			<-holds
			p.send(wire.ToLab{Ask: &wire.Ask{Number: reset, Request: wire.Request{Do: wire.Reset}}})
			for p.session.terminal(Main) != nil {
				runtime.Gosched()
			}
			p.send(wire.ToLab{Open: &wire.Open{Terminal: joined, Shell: "sh", Size: screen}})
			close(goOn)
		}
	}
	p.end()
}

// harmful has a first step that harms the lab.
const harmful = `---
id: harmful
---
# Harmful

## Harm

` + "```console" + `
$ sh -c 'mkdir -p /run/netnscheck/lab.sock && mount -t tmpfs none /run/netnscheck/lab.sock && ip netns add a'
` + "```" + `

- [ ] namespace ` + "`a`" + ` exists

## Go on

` + "```console" + `
$ ip netns add b
` + "```" + `

- [ ] namespace ` + "`b`" + ` exists
`

// TestResetTellsWhatTheLabLacks: what a lab lacks that was made anew is said in its shell.
func TestResetTellsWhatTheLabLacks(t *testing.T) {
	labtest.Needs(t, "ip", "mount")
	p := plays(t, wire.Begin{Scenario: scenarioOf(t, harmful), Past: []sitting.Past{{Done: true}}})
	asked, said := false, ""
	for !strings.Contains(said, "But the command lab does not work in this shell") {
		f, m := p.next()
		switch {
		case m.Ready != nil && len(m.Ready.Lacks) > 0:
			t.Fatalf("the lab lacks from the beginning: %q", m.Ready.Lacks)
		case m.Ready != nil:
			asked = true
			request := wire.Request{Do: wire.Reset, Args: []string{wire.StepAlone}}
			p.send(wire.ToLab{Ask: &wire.Ask{Number: 1, Request: request}})
		case f.Kind == wire.Bytes && asked:
			if said += string(f.Payload); strings.Contains(said, "has begun anew") && strings.HasSuffix(said, "# ") {
				t.Fatalf("said until the prompt: %q", said)
			}
		}
	}
	p.end()
}

// TestQuitLosesNoOutput: what was written before a learner leaves is passed on first, though his terminal lags behind.
func TestQuitLosesNoOutput(t *testing.T) {
	labtest.Needs(t, "ip")
	p := plays(t, wire.Begin{Scenario: scenarioOf(t, meanwhile)})
	for f, _ := p.next(); f.Kind != wire.Bytes; f, _ = p.next() { // until it prompts
	}
	main := p.session.terminal(Main)
	main.window.Taken(wire.WindowSize)
	main.window.Use(wire.WindowSize)
	if err := p.to.Bytes(Main, []byte("printf '%01000d\\n' 7\n")); err != nil {
		t.Fatal(err)
	}
	// The relay may have read it all, and hold it: then that is what must not be lost.
	for end := time.Now().Add(10 * time.Second); written(t, main) < 1000 && time.Now().Before(end); {
		runtime.Gosched()
	}
	p.send(wire.ToLab{Ask: &wire.Ask{Number: 1, Request: wire.Request{Do: wire.Quit}}})
	for end := time.Now().Add(time.Minute); main.awaited.Load() == nil; runtime.Gosched() {
		if time.Now().After(end) {
			t.Fatal("nobody waits for the output")
		}
	}
	main.window.Taken(wire.WindowSize)
	said := ""
	for f, m := p.next(); m.Answer == nil; f, m = p.next() {
		said += string(f.Payload)
	}
	if !strings.Contains(said, "0007") {
		t.Errorf("passed on before the answer: %q", said)
	}
	p.end()
}

// written is how many bytes of a terminal's output nobody has read yet.
func written(t *testing.T, of *terminal) (n int) {
	t.Helper()
	raw, err := of.seat.Master.SyscallConn()
	if err == nil {
		err = errors.Join(raw.Control(func(fd uintptr) { n, err = unix.IoctlGetInt(int(fd), unix.TIOCINQ) }), err)
	}
	if err != nil {
		t.Fatal(err)
	}
	return n
}

var screen = wire.Size{Rows: 24, Columns: 80}

func scenarioOf(t *testing.T, source string) *scenario.Scenario {
	t.Helper()
	sc, err := scenario.Parse("page.md", []byte(source))
	if err != nil {
		t.Fatal(err)
	}
	return sc
}

// player is the process outside of a session that is played.
type player struct {
	*testing.T
	session *session
	to      *wire.Writer
	from    *wire.Reader
	end     func()
}

// plays plays a session, with sh on its main terminal.
func plays(t *testing.T, b wire.Begin) *player {
	t.Helper()
	in, toLab, err1 := os.Pipe()
	fromLab, out, err2 := os.Pipe()
	if err := errors.Join(err1, err2); err != nil {
		t.Fatal(err)
	}
	p := &player{T: t, session: newSession(out), to: wire.NewWriter(toLab), from: wire.NewReader(fromLab)}
	ended := make(chan error, 1)
	go func() {
		err := p.session.play(t.Context(), in)
		out.Close()
		ended <- err
	}()
	p.end = func() {
		toLab.Close()
		go io.Copy(io.Discard, fromLab)
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
	b.Source, b.Main = b.Scenario.Source, wire.Open{Terminal: Main, Shell: "sh", Size: screen}
	p.send(b)
	return p
}

func (p *player) send(message any) {
	p.Helper()
	if err := p.to.Message(message); err != nil {
		p.Fatal(err)
	}
}

// next is what comes next: bytes, or a message.
func (p *player) next() (f wire.Frame, m wire.FromLab) {
	p.Helper()
	f, err := p.from.Next()
	if err == nil && f.Kind != wire.Bytes {
		err = f.Decode(&m)
	}
	if err != nil {
		p.Fatal(err)
	}
	if m.Failed != nil {
		p.Fatalf("terminal %d: %s", m.Failed.Terminal, m.Failed.Text)
	}
	return f, m
}
