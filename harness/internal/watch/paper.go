package watch

import (
	"fmt"
	"io"
	"strings"
)

// paper is the alternate screen. It writes the lines that differ from what it shows, in one piece.
type paper struct {
	out   io.Writer
	shown []string
}

// forget says that the screen shows something unknown.
func (p *paper) forget() { p.shown = nil }

func (p *paper) draw(lines []string) {
	var b strings.Builder
	if p.shown == nil {
		b.WriteString("\x1b[0m\x1b[2J")
		p.shown = make([]string, len(lines))
	}
	for i, line := range lines {
		if line == p.shown[i] {
			continue
		}
		fmt.Fprintf(&b, "\x1b[%d;1H\x1b[K%s\x1b[0m", i+1, line)
	}
	p.shown = lines
	if b.Len() > 0 {
		io.WriteString(p.out, b.String())
	}
}
