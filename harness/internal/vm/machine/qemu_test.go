package machine

import (
	"strings"
	"testing"
)

// TestCommandLine: timers at the ticks are for virtual time alone, and the words of the user come last, since of two
// settings of one kind the kernel takes the last.
func TestCommandLine(t *testing.T) {
	const coarse, own = " nohz=off highres=off", " nohz=on highres=on"
	for _, virtual := range []bool{true, false} {
		g := Guest{Virtual: virtual, Append: strings.TrimSpace(own)}
		line := g.commandLine()
		if strings.Contains(line, coarse) != virtual || !strings.HasSuffix(line, own) {
			t.Errorf("with virtual time %v the command line is %q", virtual, line)
		}
	}
}
