package session

import (
	"io"
	"testing"

	"netnscheck/harness/internal/session/shell"
	"netnscheck/harness/internal/session/wire"
)

// TestUntoldIsKept: what a learner changes by a command that his shell does not tell is in his progress, whatever the
// terminal takes the command for.
func TestUntoldIsKept(t *testing.T) {
	prompt := shell.Event{Kind: 'S'}
	for name, run := range map[string]func(on *terminal, change func()){
		"an ordinary line of sh": func(on *terminal, change func()) {
			on.write([]byte("./finish\r"))
			change()
			on.found(prompt)
		},
		"lab behind it": func(on *terminal, change func()) {
			on.write([]byte("./finish; lab check\r"))
			change()
			on.session.askedInside.Store(true)
			on.found(prompt)
		},
		"typed before the prompt": func(on *terminal, change func()) {
			on.write([]byte("./finish"))
			on.found(prompt)
			on.write([]byte("\r"))
			change()
			on.found(prompt)
		},
		"entered before the prompt": func(on *terminal, change func()) {
			on.write([]byte("true\r"))
			on.write([]byte("./finish\r"))
			on.found(prompt)
			change()
			on.found(prompt)
		},
		"a mark of bash is missing": func(on *terminal, change func()) {
			on.told = true
			on.write([]byte("./finish"))
			on.write([]byte("\r"))
			change()
			on.found(shell.Event{Kind: 'P'})
		},
	} {
		t.Run(name, func(t *testing.T) {
			d := deskOf(t, pasted)
			on := terminalOf(d)
			on.found(prompt)
			run(on, func() {
				if _, err := d.lab.Perform(t.Context(), d.sc, 0); err != nil {
					t.Fatal(err)
				}
			})
			judged(d)
			all := on.session.journal.all
			if len(all) != 1 || !all[0].Untold() || all[0].Step != 1 || !d.sitting.Done() {
				t.Errorf("kept: %+v; done: %v", all, d.sitting.Done())
			}
		})
	}
}

// TestAnothersWorkIsNotKept: what runs in another terminal is not the work of an empty line of bash.
func TestAnothersWorkIsNotKept(t *testing.T) {
	d := deskOf(t, pasted)
	on := terminalOf(d)
	on.write([]byte("\r"))
	if _, err := d.lab.Perform(t.Context(), d.sc, 0); err != nil {
		t.Fatal(err)
	}
	on.found(shell.Event{Kind: 'P'})
	if judged(d); len(on.session.journal.all) > 0 {
		t.Errorf("kept: %+v", on.session.journal.all)
	}
}

// TestNothingIsNotKept: an empty line, and the command lab, are no work of the learner; nor is what lab solve did.
func TestNothingIsNotKept(t *testing.T) {
	d := deskOf(t, pasted)
	on := terminalOf(d)
	for _, line := range []string{"\r", "lab check\r", "lab solve\r", "\r"} {
		on.write([]byte(line))
		on.session.askedInside.Store(line != "\r")
		if line == "lab solve\r" {
			if _, err := d.solve(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		on.found(shell.Event{Kind: 'S'})
	}
	if judged(d); len(on.session.journal.all) > 0 || d.step() != 1 {
		t.Errorf("kept: %+v; at step %d", on.session.journal.all, d.step())
	}
}

// terminalOf is a terminal without a shell.
func terminalOf(d *desk) *terminal {
	s := &session{out: wire.NewWriter(io.Discard), terminals: map[uint32]*terminal{}}
	s.judge.Store(d)
	on := &terminal{session: s, number: Main, window: wire.NewWindow(), prompted: make(chan struct{}),
		typed: make(chan []byte, maxTyped)}
	on.size.Store(&wire.Size{Rows: 24, Columns: 80})
	s.terminals[Main] = on
	return on
}
