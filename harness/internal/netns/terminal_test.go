package netns

import (
	"bufio"
	"strings"
	"testing"

	"github.com/creack/pty"
)

// A program gets its terminal as the controlling one: /dev/tty leads to it, and the kernel sends the signals of its
// keys to the program. Without Terminal there is none, even if standard input is a terminal.
func TestControllingTerminal(t *testing.T) {
	each(t, func(t *testing.T, w *World) {
		const script = `if { echo has one >/dev/tty; } 2>/dev/null; then cat; else echo has none; fi`
		for _, terminal := range []bool{false, true} {
			master, slave, err := pty.Open()
			if err != nil {
				t.Fatal(err)
			}
			defer master.Close()
			p := command("sh", "-c", script)
			p.Input, p.Output, p.Terminal = slave, slave, terminal
			running, err := w.Start(p)
			slave.Close()
			if err != nil {
				t.Fatal(err)
			}
			output := bufio.NewReader(master)
			line, err := output.ReadString('\n')
			want := map[bool]string{false: "has none", true: "has one"}[terminal]
			if got := strings.TrimSpace(line); got != want {
				t.Errorf("Terminal %v: %q, %v, want %q", terminal, got, err, want)
			}
			if terminal {
				master.Write([]byte("x\n"))
				output.ReadString('\n') // the terminal's echo
				output.ReadString('\n') // cat's, which therefore runs: dash may lose an interrupt before
				master.Write([]byte{3}) // Ctrl-C
			}
			status, err := running.Wait()
			if interrupted := status.Signaled() || status.ExitStatus() == 130; err != nil || interrupted != terminal {
				t.Errorf("Terminal %v: it ended with %v, %v", terminal, status, err)
			}
		}
	})
}
