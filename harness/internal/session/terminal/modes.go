package terminal

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// modes notes which modes of a terminal the output of programs has switched on and not off again: the alternate screen,
// reports of the mouse, bracketed paste, a hidden cursor. A program that is killed leaves them so.
type modes struct {
	on     map[int]bool // private modes (DECSET) that differ from what shells expect
	keypad bool         // application keypad (DECKPAM)
	state  state
	params []byte
}

// state is where in a control sequence the output has stopped.
type state byte

const (
	outside    state = iota
	afterEsc         // ESC
	afterCSI         // ESC [
	afterQmark       // ESC [ ? and parameters
)

// maxParams limits the parameters of a sequence, in bytes; a longer one is passed over.
const maxParams = 64

// watched are the private modes that a program may leave behind, with the sense that is normal for a shell (xterm's
// ctlseqs).
var watched = map[int]bool{
	1: false, 7: true, 25: true, // application cursor keys, wrapping at the margin, a visible cursor
	47: false, 1047: false, 1049: false, // the alternate screen
	9: false, 1000: false, 1001: false, 1002: false, 1003: false, 1005: false, 1006: false, 1015: false, // the mouse
	1004: false, 2004: false, // reports of the focus, bracketed paste
}

// note reads more output.
func (m *modes) note(output []byte) {
	for _, b := range output {
		m.next(b)
	}
}

func (m *modes) next(b byte) {
	switch {
	case b == '\x1b':
		m.state, m.params = afterEsc, m.params[:0]
	case m.state == afterEsc && b == '[':
		m.state = afterCSI
	case m.state == afterEsc:
		switch b {
		case '=':
			m.keypad = true
		case '>':
			m.keypad = false
		case 'c': // a full reset
			m.on, m.keypad = nil, false
		}
		m.state = outside
	case m.state == afterCSI && b == '?':
		m.state = afterQmark
	case m.state == afterQmark && (b >= '0' && b <= '9' || b == ';') && len(m.params) < maxParams:
		m.params = append(m.params, b)
	case m.state == afterQmark && (b == 'h' || b == 'l'):
		m.set(b == 'h')
		m.state = outside
	default:
		m.state = outside
	}
}

func (m *modes) set(on bool) {
	for _, word := range strings.Split(string(m.params), ";") {
		mode, err := strconv.Atoi(word)
		normal, known := watched[mode]
		switch {
		case err != nil || !known:
		case on == normal:
			delete(m.on, mode)
		default:
			if m.on == nil {
				m.on = map[int]bool{}
			}
			m.on[mode] = true
		}
	}
}

// undo is what brings the terminal back to what shells expect.
func (m *modes) undo() string {
	var b strings.Builder
	// The alternate screen has a cursor of its own: it goes last.
	for _, mode := range slices.SortedFunc(maps.Keys(m.on), func(a, b int) int {
		return cmp.Or(alternate(a)-alternate(b), a-b)
	}) {
		end := 'l'
		if watched[mode] {
			end = 'h'
		}
		fmt.Fprintf(&b, "\x1b[?%d%c", mode, end)
	}
	if m.keypad {
		b.WriteString("\x1b>")
	}
	return b.String() + "\x1b[0m"
}

func alternate(mode int) int {
	if mode == 47 || mode == 1047 || mode == 1049 {
		return 1
	}
	return 0
}
