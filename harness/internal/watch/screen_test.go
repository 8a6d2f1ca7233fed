package watch

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/charmbracelet/x/vt"
	"github.com/google/go-cmp/cmp"

	"netnscheck/harness/sitting"
	"netnscheck/harness/state"
	"netnscheck/harness/term"
)

var update = flag.Bool("update", false, "write the golden files")

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name+".txt")
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", path, diff)
	}
}

// shown is what a terminal shows of a model.
func shown(m *model) string {
	e := vt.NewEmulator(m.columns, m.rows)
	m.paper.out, m.paper.shown = e, nil
	m.draw()
	return onScreen(e)
}

func onScreen(e *vt.Emulator) string {
	var lines []string
	for _, line := range strings.Split(e.String(), "\n") {
		lines = append(lines, strings.TrimRight(line, " \r"))
	}
	return strings.TrimRight(strings.Join(lines, "\n"), "\n") + "\n"
}

// TestScreens: what is seen at several sizes, in black and white and in ASCII, at a mistake and when it is mended.
func TestScreens(t *testing.T) {
	l := moving(t, false)
	start, end := l.start(), l.end()
	exam := moving(t, true).start()
	for _, size := range [][2]int{{80, 24}, {120, 40}, {80, 11}, {60, 20}} {
		for name, c := range map[string]struct {
			view sitting.View
			keys string
			look Look
		}{
			"start": {view: start}, "end": {view: end}, "ascii": {view: start, look: Look{ASCII: true}},
			"exam": {view: exam}, "map": {view: end, keys: "m"}, "reset": {view: end, keys: "r"},
		} {
			t.Run(fmt.Sprintf("%s-%dx%d", name, size[0], size[1]), func(t *testing.T) {
				m := &model{columns: size[0], rows: size[1], look: c.look}
				m.see(c.view)
				for _, key := range c.keys {
					m.key(string(key))
				}
				got := shown(m)
				golden(t, fmt.Sprintf("%s-%dx%d", name, size[0], size[1]), got)
				for _, line := range m.screen() {
					if line != term.OneLine(line) {
						t.Errorf("without colour there is a control sequence in %q", line)
					}
				}
				if c.look.ASCII {
					for _, r := range got {
						if r >= 0x80 {
							t.Fatalf("%q in\n%s", r, got)
						}
					}
				}
			})
		}
	}
}

// TestAnySize: whatever the size, each row is there once and none is wider than the terminal.
func TestAnySize(t *testing.T) {
	l := moving(t, false)
	for _, v := range []sitting.View{l.start(), l.end(), {}, {Step: 3}} {
		for columns := 0; columns < 200; columns += 7 {
			for rows := 0; rows < 60; rows += 5 {
				for _, keys := range []string{"", "m", "down", "s"} {
					m := &model{columns: columns, rows: rows, look: Look{Colour: true}, room: 99}
					m.see(v)
					m.key(keys)
					lines := m.screen()
					if len(lines) != rows {
						t.Fatalf("%dx%d: %d rows", columns, rows, len(lines))
					}
					for _, line := range lines {
						if term.Width(line) > columns {
							t.Fatalf("%dx%d: %d columns: %q", columns, rows, term.Width(line), line)
						}
					}
				}
			}
		}
	}
}

// TestHostileText: nothing that comes out of the lab acts on the terminal.
func TestHostileText(t *testing.T) {
	const evil = "a\x1b[2J\x1b]0;t\x07\u202eb\r\nc\u009b31m"
	c := sitting.Check{Text: evil, Status: sitting.Lost, Found: evil, Fail: evil}
	v := sitting.View{Title: evil, Step: 1, Steps: []sitting.Step{{Title: evil, Checks: []sitting.Check{c}}},
		Intro: evil, Prose: evil, Hints: []string{evil}, Changed: []string{evil + ": lo: x"},
		Answer: &sitting.Answer{Title: evil, Text: evil, Name: evil, Repair: evil},
		State:  &state.State{Namespaces: []state.Namespace{{Name: evil, Links: []state.Link{{Name: evil}}}}}}
	for _, m := range []model{{}, {said: evil}, {said: evil, wrong: true}, {large: true}, {scroll: 3}} {
		m.rows, m.columns, m.view = 24, 80, &v
		for _, line := range m.screen() {
			if line != term.OneLine(line) {
				t.Errorf("%q is not fit to be shown", line)
			}
		}
	}
}

// TestAnswerToAKey: what a key was answered with stays until there is something new to tell.
func TestAnswerToAKey(t *testing.T) {
	v := moving(t, false).end()
	v.Answer = nil
	m := &model{columns: 80, rows: 24}
	m.take(viewed{view: v})
	m.take(answered{text: "Look at the names."})
	sees := func(text string) {
		t.Helper()
		if screen := shown(m); !strings.Contains(screen, text) {
			t.Errorf("%q is not in\n%s", text, screen)
		}
	}
	v.Changed = []string{"host: interface other appeared"}
	m.take(viewed{view: v})
	sees("Look at the names.")
	v.Answer = &sitting.Answer{Title: "a typo in the device name"}
	m.take(viewed{view: v})
	sees("a typo in the device name")
	m.take(answered{text: "Look at the names again."})
	m.take(viewed{view: v})
	sees("Look at the names again.")
	m.take(answered{err: errors.New("there are no more hints")})
	m.take(viewed{view: v})
	sees("there are no more hints")
	v.Answer = &sitting.Answer{Title: "a namespace of another name"}
	m.take(viewed{view: v})
	sees("a namespace of another name")
	m.take(answered{err: errors.New("there are no more hints")})
	m.key("m")
	m.key("m")
	sees("a namespace of another name")
}
