package proof_test

import (
	"os"
	"syscall"
	"testing"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"
)

// TestBeside: what is done in one terminal of a lab is seen in the others, and each can go without the lab.
func TestBeside(t *testing.T) {
	asEach(t, func(t *testing.T, uid int) {
		r := compared(t, "beside")
		p := sits(t, uid, home(t, uid), "lab", "start", "veth-pair")
		p.sees("[veth-pair] ~ #")
		second := p.joins("lab", "attach")
		second.prompts(r, "harness lab attach")
		watch := p.joins("lab", "watch")
		watch.pictures(r, "harness lab watch")

		p.types("ip netns add testns\n")
		watch.pictures(r, "beside it: ip netns add testns")
		p.sees("(7 of 9)") // told where it was typed
		second.says(r, "ip netns list")
		second.says(r, "ip netns add prodns")
		watch.pictures(r, "beside it: ip netns add prodns")
		p.types("ip link add vnix-prodns type veth peer name vnic-testns\n")
		watch.pictures(r, "beside it: ip link add vnix-prodns type veth peer name vnic-testns")
		p.types("ip link set vnic-prodns netns prodns\n")
		watch.pictures(r, "beside it: ip link set vnic-prodns netns prodns")
		watch.types("h")
		watch.pictures(r, "h")
		watch.types("m")
		watch.pictures(r, "m")

		second.master.Close() // a terminal that is closed takes nothing with it
		second.leaves()
		third := p.joins("lab", "attach")
		third.prompts(r, "harness lab attach, again")
		third.says(r, "ip netns list")
		p.types("exit\n")
		if status := p.leaves(); status != 0 {
			t.Errorf("exit: status %d", status)
		}
		third.ends(r, "beside it: exit", 0)
		watch.ends(r, "the watch, when the lab has ended", 0)
		r.end()
	})
}

// TestWatchGivesTheTerminalBack: however a watch ends, short of SIGKILL, the terminal is as it was.
func TestWatchGivesTheTerminalBack(t *testing.T) {
	theProgram(t)
	at := home(t, uidOfTests())
	p := sits(t, uidOfTests(), at, "lab", "start", "veth-pair")
	p.sees("[veth-pair] ~ #")
	signals := func(s syscall.Signal) func(*person) { return func(w *person) { w.cmd.Process.Signal(s) } }
	before := modesOfNew(t)
	for name, end := range map[string]func(*person){
		"q":       func(w *person) { w.types("q") },
		"Ctrl-C":  func(w *person) { w.types("\x03") },
		"SIGINT":  signals(syscall.SIGINT),
		"SIGTERM": signals(syscall.SIGTERM),
		"SIGHUP":  signals(syscall.SIGHUP),
	} {
		t.Run(name, func(t *testing.T) {
			w := p.joins("lab", "watch")
			w.TB = t
			w.sees("q quit")
			if taken := w.modes(); taken == before || !w.full() {
				t.Error("it has not taken the terminal: this proves nothing")
			}
			end(w)
			w.leaves()
			w.until(func() bool { return w.gone }, func() string { return "somebody keeps it open" })
			if now := w.modes(); now != before {
				t.Errorf("the modes were %+v, now %+v", before, now)
			}
			if w.screen.IsAltScreen() || w.screen.CursorHidden() {
				t.Errorf("the alternate screen is on: %v, the cursor is hidden: %v", w.screen.IsAltScreen(),
					w.screen.CursorHidden())
			}
		})
	}
	p.types("exit\n")
	p.leaves()
}

// modes are those of the terminal.
func (p *person) modes() unix.Termios {
	p.Helper()
	return modes(p.TB, p.master)
}

// modesOfNew are those of a terminal that no program has changed.
func modesOfNew(t testing.TB) unix.Termios {
	t.Helper()
	master, slave, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer master.Close()
	defer slave.Close()
	return modes(t, master)
}

func modes(t testing.TB, terminal *os.File) (modes unix.Termios) {
	t.Helper()
	conn, err := terminal.SyscallConn() // Fd would make its calls block
	if err == nil {
		conn.Control(func(fd uintptr) {
			var got *unix.Termios
			if got, err = unix.IoctlGetTermios(int(fd), unix.TCGETS); err == nil {
				modes = *got
			}
		})
	}
	if err != nil {
		t.Fatal(err)
	}
	return modes
}
