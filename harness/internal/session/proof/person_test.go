package proof_test

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/charmbracelet/x/vt"

	"netnscheck/harness/internal/labtest"
)

const columns, rows = 80, 24

// patience is how long a person waits for what is to appear on the screen.
const patience = 4 * time.Minute

// person sits at a terminal in which the program runs.
type person struct {
	testing.TB
	cmd    *exec.Cmd
	home   string
	uid    int
	ended  chan struct{}
	master *os.File

	mu     sync.Mutex
	screen *vt.Emulator
	bytes  int           // that the terminal was sent
	more   chan struct{} // closed when more was sent, and replaced
	gone   bool          // nobody has the terminal open any more
	from   int           // the first line that was not compared yet
}

// home is a new home folder of a user, with a short path: the lab's socket is below it.
func home(t testing.TB, uid int) string {
	t.Helper()
	dir, err := os.MkdirTemp(scratch, "home-")
	if err := errors.Join(err, os.Chown(dir, uid, uid)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// sits starts the program on a terminal.
func sits(t testing.TB, uid int, home string, args ...string) *person {
	t.Helper()
	p := &person{TB: t, cmd: exec.Command(theProgram(t), args...), home: home, uid: uid, more: make(chan struct{}),
		screen: vt.NewEmulator(columns, rows), ended: make(chan struct{})}
	p.cmd.Dir, p.cmd.Args[0] = home, "harness"
	p.cmd.Env = []string{"PATH=" + filepath.Join(scratch, "bin") + ":" + os.Getenv("PATH"), "HOME=" + home,
		"TMPDIR=" + home, "TERM=xterm-256color", "SHELL=/bin/bash", "LC_ALL=C.UTF-8"}
	p.master = labtest.Sit(t, p.cmd, uid, rows, columns)
	go p.look()
	go io.Copy(p.master, p.screen) // what a terminal answers
	go func() { p.cmd.Wait(); close(p.ended) }()
	t.Cleanup(func() {
		p.cmd.Process.Kill()
		p.master.Close()
		<-p.ended
	})
	return p
}

// joins starts the program on another terminal of the same person.
func (p *person) joins(args ...string) *person { return sits(p.TB, p.uid, p.home, args...) }

func (p *person) look() {
	buf := make([]byte, 4096)
	for {
		n, err := p.master.Read(buf)
		p.mu.Lock()
		p.screen.Write(buf[:n])
		p.bytes += n
		p.gone = err != nil
		close(p.more)
		p.more = make(chan struct{})
		p.mu.Unlock()
		if err != nil {
			return
		}
	}
}

// lines are those that have scrolled off, and those on the screen as far as there is something.
func (p *person) lines() []string {
	var all []string
	for _, line := range p.screen.Scrollback().Lines() {
		all = append(all, strings.TrimRight(line.String(), " "))
	}
	all = append(all, p.onScreen()...)
	for len(all) > 0 && all[len(all)-1] == "" {
		all = all[:len(all)-1]
	}
	return all
}

// full reports whether a program has the whole screen: the alternate one, without a cursor.
func (p *person) full() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.screen.IsAltScreen() && p.screen.CursorHidden()
}

func (p *person) onScreen() []string {
	all := strings.Split(p.screen.String(), "\n")
	for i, line := range all {
		all[i] = strings.TrimRight(line, " \r")
	}
	return all
}

// until waits until what the terminal shows is as it should be. right is asked with the lock held; wrong says what is
// not right when patience is at an end.
func (p *person) until(right func() bool, wrong func() string) {
	p.Helper()
	timer := time.NewTimer(patience)
	defer timer.Stop()
	for {
		p.mu.Lock()
		ok, more, gone := right(), p.more, p.gone
		p.mu.Unlock()
		if ok {
			return
		}
		late := false
		if !gone {
			select {
			case <-more:
			case <-timer.C:
				late = true
			}
		}
		if gone || late {
			p.mu.Lock()
			defer p.mu.Unlock()
			p.Fatalf("the terminal was closed: %v; %s", gone, wrong())
		}
	}
}

// sees waits until the screen has the text.
func (p *person) sees(text string) {
	p.Helper()
	p.until(func() bool { return strings.Contains(strings.Join(p.onScreen(), "\n"), text) }, func() string {
		return fmt.Sprintf("it does not show %q:\n%s", text, strings.Join(p.onScreen(), "\n"))
	})
}

// types types keys.
func (p *person) types(keys string) {
	p.Helper()
	if _, err := p.master.WriteString(keys); err != nil {
		p.Fatalf("type %q: %v", keys, err)
	}
}

// leaves waits for the end of the program and returns its exit status.
func (p *person) leaves() int {
	p.Helper()
	select {
	case <-p.ended:
	case <-time.After(patience):
		p.mu.Lock()
		defer p.mu.Unlock()
		p.Fatalf("it does not end:\n%s", strings.Join(p.lines(), "\n"))
	}
	return p.cmd.ProcessState.ExitCode()
}
