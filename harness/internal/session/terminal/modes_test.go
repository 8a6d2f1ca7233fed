package terminal

import "testing"

func TestUndo(t *testing.T) {
	const plain = "\x1b[0m"
	for name, c := range map[string]struct{ output, want string }{
		"nothing":             {"text", plain},
		"a prompt of bash":    {"\x1b[?2004h$ ", "\x1b[?2004l" + plain},
		"a command":           {"\x1b[?2004h$ ls\x1b[?2004l\r\n", plain},
		"an editor":           {"\x1b[?1049h\x1b[?1h\x1b=\x1b[?25l", "\x1b[?1l\x1b[?25h\x1b[?1049l\x1b>" + plain},
		"an editor that ends": {"\x1b[?1049h\x1b[?1h\x1b=\x1b[?25l\x1b[?25h\x1b[?1l\x1b>\x1b[?1049l", plain},
		"several at once":     {"\x1b[?1000;1006h", "\x1b[?1000l\x1b[?1006l" + plain},
		"another mode":        {"\x1b[?12h\x1b[4h", plain},
		"no wrapping":         {"\x1b[?7l", "\x1b[?7h" + plain},
		"reset":               {"\x1b[?1049h\x1bc", plain},
	} {
		var m modes
		for i := range c.output { // in pieces
			m.note([]byte(c.output[i : i+1]))
		}
		if got := m.undo(); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

func FuzzModes(f *testing.F) {
	f.Add([]byte("\x1b[?1049;25;0000000000000000000000000000000000000000000000000000000000000000000000000000000001h"))
	f.Fuzz(func(t *testing.T, output []byte) {
		var m, again modes
		m.note(output)
		again.note([]byte(m.undo()))
		if len(m.on) > len(watched) || again.undo() != "\x1b[0m" {
			t.Errorf("%q leaves %v, undone by %q", output, m.on, m.undo())
		}
	})
}
