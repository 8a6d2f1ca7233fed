package main_test

import (
	"cmp"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/creack/pty"

	"netnscheck/harness/internal/labtest"
)

// learner is a person at a terminal in which the harness runs.
type learner struct {
	testing.TB
	cmd    *exec.Cmd
	master *os.File

	mu   sync.Mutex
	seen []byte
	more chan struct{} // closed when more was seen, and replaced
	gone bool          // the terminal was closed
	over chan struct{} // closed when everything was seen
	wide uint16        // the columns of the terminal; 0 for 80
	at   int           // how much was expected so far
}

// anOrdinaryUserIfRoot is an ordinary user if root runs the tests, and else who runs them.
func anOrdinaryUserIfRoot() int {
	if os.Geteuid() == 0 {
		return labtest.OrdinaryUser
	}
	return os.Geteuid()
}

// eachLearner runs a test as each user (labtest.EachUser).
func eachLearner(t *testing.T, test func(t *testing.T, uid int)) {
	buildHarness(t)
	labtest.EachUser(t, test)
}

// sits starts the harness on a terminal of 80 columns and 24 rows.
func sits(t testing.TB, uid int, args ...string) *learner {
	t.Helper()
	home := t.TempDir()
	if err := os.Chown(home, uid, uid); err != nil {
		t.Fatal(err)
	}
	openTo(t, home)
	return sitsAt(t, uid, home, args...)
}

// openTo lets other users reach a folder of a test.
func openTo(t testing.TB, dir string) {
	t.Helper()
	if err := os.Chmod(filepath.Dir(dir), 0o755); err != nil {
		t.Fatal(err)
	}
}

// sitsAt is sits in a home folder.
func sitsAt(t testing.TB, uid int, home string, args ...string) *learner {
	t.Helper()
	return sitsWith(t, uid, home, nil, args...)
}

// sitsWith is sitsAt with more variables in the environment.
func sitsWith(t testing.TB, uid int, home string, variables []string, args ...string) *learner {
	t.Helper()
	l := &learner{TB: t, cmd: exec.Command(buildHarness(t), args...), more: make(chan struct{})}
	l.cmd.Dir = home
	l.cmd.Env = append(os.Environ(), "HOME="+home, "XDG_STATE_HOME=", "XDG_RUNTIME_DIR=", "TERM=xterm",
		"SHELL=/bin/bash", "LC_ALL=C.UTF-8", "NO_COLOR=1")
	l.cmd.Env = append(l.cmd.Env, variables...)
	l.begins(l.cmd, uid)
	return l
}

// begins starts a command on a terminal of 24 rows.
func (l *learner) begins(cmd *exec.Cmd, uid int) {
	l.Helper()
	l.cmd, l.master, l.over = cmd, labtest.Sit(l, cmd, uid, 24, cmp.Or(l.wide, 80)), make(chan struct{})
	go l.look()
	l.Cleanup(func() {
		cmd.Process.Kill()
		l.master.Close()
		cmd.Wait()
	})
}

func (l *learner) look() {
	defer close(l.over)
	buf := make([]byte, 4096)
	for {
		n, err := l.master.Read(buf)
		l.mu.Lock()
		l.seen = append(l.seen, buf[:n]...)
		l.gone = err != nil
		close(l.more)
		l.more = make(chan struct{})
		l.mu.Unlock()
		if err != nil {
			return
		}
	}
}

// patience is how long a test waits for what has to come: far longer than it takes on the slowest and busiest machine,
// as it only ends a test that would wait for ever.
const patience = 2 * time.Minute

// expects waits until a pattern appears behind what was expected before, and returns it.
func (l *learner) expects(pattern string) string {
	l.Helper()
	find := regexp.MustCompile(pattern)
	timer := time.NewTimer(patience)
	defer timer.Stop()
	for {
		l.mu.Lock()
		text, more, gone := string(l.seen[l.at:]), l.more, l.gone
		l.mu.Unlock()
		if at := find.FindStringIndex(text); at != nil {
			l.at += at[1]
			return text[at[0]:at[1]]
		}
		if gone {
			l.Fatalf("%q did not appear before the end:\n%s", pattern, text)
		}
		select {
		case <-more:
		case <-timer.C:
			l.Fatalf("%q did not appear:\n%s", pattern, text)
		}
	}
}

// types types keys.
func (l *learner) types(keys string) {
	l.Helper()
	if _, err := l.master.WriteString(keys); err != nil {
		l.Fatal(err)
	}
}

// says types a command and waits for what it prints. The command must not contain the pattern, which would be found in
// the terminal's echo. It ends with LF: a CR that comes while
// the shell still reads keys is none for the program that it then starts (ICRNL, termios(3)).
func (l *learner) says(command, pattern string) string {
	l.Helper()
	l.types(command + "\n")
	return l.expects(pattern)
}

// ends waits for the end of the harness and returns its exit status.
func (l *learner) ends() int {
	l.Helper()
	ended := make(chan error, 1)
	go func() { ended <- l.cmd.Wait() }()
	select {
	case <-ended:
	case <-time.After(patience):
		l.Fatalf("it did not end:\n%s", l.all())
	}
	return l.cmd.ProcessState.ExitCode()
}

// all is all that was shown so far.
func (l *learner) all() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return string(l.seen)
}

// prompt is the prompt of the lab.
const prompt = `\[veth-pair\] ~ # `

// TestLabStart: a learner has a shell on the scenario's host, with its names, and all that a terminal can do.
func TestLabStart(t *testing.T) {
	eachLearner(t, func(t *testing.T, uid int) {
		needPrograms(t, "bash")
		needPrograms(t, "ip")
		l := sits(t, uid, "lab", "start", "veth-pair")
		l.expects(prompt)
		l.says("ip -br address show ens192", `172\.16\.1\.252/16`)
		l.says("ip netns add testns && ip netns exec testns ip link show lo", `lo: <LOOPBACK> mtu 65536`)
		l.says("tty", `/dev/pts/0\r\n`)
		l.types("sed -u s/typed/read/\n")
		l.says("typed one", `read one\r\n`) // it runs
		l.types("\x1a")                     // Ctrl-Z
		l.expects(`Stopped +sed`)
		l.types("fg\n")
		l.says("typed two", `read two\r\n`)
		l.types("\x03") // Ctrl-C
		l.expects(prompt)
		l.says("echo status $?", `status 130\r\n`)
		if err := pty.Setsize(l.master, &pty.Winsize{Rows: 30, Cols: 100}); err != nil {
			t.Fatal(err)
		}
		l.says("until [ \"$(stty size)\" = '30 100' ]; do :; done; echo re''sized", `resized`)
		l.types("exit\n")
		if status := l.ends(); status != 0 {
			t.Errorf("status %d", status)
		}
		if seen := l.all(); strings.Contains(seen, "7377") {
			t.Errorf("the learner saw a mark:\n%q", seen)
		}
	})
}

// TestLabStartNeedsATerminal: without one it says so, and starts nothing.
func TestLabStartNeedsATerminal(t *testing.T) {
	harness(t, t.TempDir(), "lab", "start", "veth-pair").want(t, 2, "are not a terminal")
}

// TestLabNews: after each command the prompt tells what it changed, and which checks are true now or no longer.
func TestLabNews(t *testing.T) {
	eachLearner(t, func(t *testing.T, uid int) {
		needPrograms(t, "bash")
		needPrograms(t, "ip")
		l := sits(t, uid, "lab", "start", "veth-pair")
		l.expects(prompt)
		l.says("ip netns add testns",
			`namespace testns appeared\r\n.*✓ .*namespace .testns. exists.* \([4-7] of 9\)\r\n`)
		l.expects(prompt)
		l.says("ip netns del testns", `✗ .*again: namespace .testns. exists`)
		l.expects(prompt)
		l.says("ip netns add testns; ip netns add prodns", `✓ .*step 1 of 7: Create the namespaces is done\r\n`)
		l.expects(prompt)
		// A command of the next step that only looks goes on to it, and so does one that changes something.
		l.says("ip route list", `default via 192\.168\.2\.1`)
		l.expects(prompt)
		l.says("ip -n testns route list", `✓ .*step 2 of 7: Look at the host's routes is done\r\n`)
		l.expects(prompt)
		l.says("ip link add vnix-prodns type veth peer name vnic-testns", `✓ .*step 3 of 7: .* is done\r\n`)
		l.expects(prompt)
		l.types("exit\n")
		if status := l.ends(); status != 0 {
			t.Errorf("status %d", status)
		}
	})
}

// TestLabCommand: in the shell of a lab, lab says where the learner is and helps, and sudo runs a command as it is.
func TestLabCommand(t *testing.T) {
	eachLearner(t, func(t *testing.T, uid int) {
		needPrograms(t, "bash")
		needPrograms(t, "ip")
		l := sits(t, uid, "lab", "start", "veth-pair")
		l.expects(`Step 1 of 7: Create the namespaces`)
		l.expects(prompt)
		l.says("lab check", `· namespace .testns. exists`)
		l.expects(prompt)
		l.says("lab hint", `deals with namespaces is`)
		l.expects(prompt)
		l.says("lab next", `8 of the 9 checks of step 1 do not hold yet`)
		l.expects(prompt)
		l.says("lab why", `there is no namespace testns`)
		l.expects(prompt)
		l.says("sudo ip netns add testns", `sudo is not needed in a lab`)
		l.expects(`namespace testns appeared`)
		l.expects(prompt)
		l.says("lab map", `┌─\*testns`)
		l.expects(prompt)
		l.says("lab solve", `\$ ip netns add prodns`)
		l.expects(prompt)
		l.says("lab next", `Step 2 of 7`)
		l.expects(prompt)
		l.says("ip link add oops type veth; lab reset --step --yes", `begun anew`)
		l.expects(prompt)
		l.says("ip netns; ip link show oops", `prodns\r\ntestns\r\n.*"oops" does not exist`)
		l.expects(prompt)
		l.says("lab reset", `\[y/N\] `)
		l.types("n\n")
		l.expects(`not reset`)
		l.says("lab nonsense", `nonsense`)
		l.expects(prompt)
		l.types("lab quit\n")
		if status := l.ends(); status != 0 {
			t.Errorf("status %d", status)
		}
	})
}

// joins starts the harness on another terminal, with the home of the first.
func (l *learner) joins(t testing.TB, uid int, args ...string) *learner {
	t.Helper()
	return sitsAt(t, uid, l.cmd.Dir, args...)
}

// TestLabAttach: a second terminal has a shell in the same lab, and others can ask it; all end with the first shell.
func TestLabAttach(t *testing.T) {
	eachLearner(t, func(t *testing.T, uid int) {
		needPrograms(t, "bash")
		needPrograms(t, "ip")
		l := sits(t, uid, "lab", "start", "veth-pair")
		l.expects(prompt)
		door := filepath.Join(l.cmd.Dir, ".local/state/netnscheck/run")
		if info, err := os.Stat(door); err != nil || info.Mode() != os.ModeDir|0o700 {
			t.Errorf("the folder of the socket for other terminals: %v, %v", info, err)
		}
		second := l.joins(t, uid, "lab", "attach")
		second.expects(prompt)
		l.says("ip netns add testns", `namespace testns appeared`)
		second.says("ip netns list", `testns\r\n`)
		second.expects(prompt)
		second.says("ip netns add prodns", `step 1 of 7: .* is done`)
		third := l.joins(t, uid, "lab", "check", "veth-pair")
		third.expects(`✓ namespace .prodns. exists`)
		if status := third.ends(); status != 0 {
			t.Errorf("lab check: status %d", status)
		}
		where := l.joins(t, uid, "lab")
		where.expects(`Step 1 of 7: Create the namespaces`)
		if status := where.ends(); status != 0 {
			t.Errorf("lab: status %d", status)
		}
		fourth := l.joins(t, uid, "lab", "start", "veth-pair")
		fourth.expects(`has it open`)
		l.expects(prompt)
		l.types("exit\n")
		if status := l.ends(); status != 0 {
			t.Errorf("status %d", status)
		}
		second.expects(`The lab has ended\.`)
		second.ends()
	})
}

// TestLabGoesOn: the next time the lab is as it was left, and --fresh begins anew.
func TestLabGoesOn(t *testing.T) {
	eachLearner(t, func(t *testing.T, uid int) {
		needPrograms(t, "bash")
		needPrograms(t, "ip")
		l := sits(t, uid, "lab", "start", "veth-pair")
		l.expects(prompt)
		l.says("for n in testns prodns; do ip netns add $n; done", `step 1 of 7: .* is done`)
		l.expects(prompt)
		l.says("sudo ip link add vnix-prodns type veth peer name vnic-testns", `appeared`)
		l.expects(prompt)
		l.types("exit\n")
		l.ends()
		again := l.joins(t, uid, "lab", "start", "veth-pair")
		again.expects(`Step [2-4] of 7`) // as far as it was judged when the shell ended
		again.expects(prompt)
		again.says("ip netns; ip -br link show vnix-prodns", `prodns\r\n.*testns\r\n.*vnix-prodns@vnic-testns`)
		again.expects(prompt)
		again.types("\x1b[A\x1b[A") // the history has the commands of the last time
		again.expects(`link add vnix-prodns`)
		again.types("\x15exit\n") // Ctrl-U
		again.ends()
		fresh := l.joins(t, uid, "lab", "start", "veth-pair", "--fresh")
		fresh.expects(`Step 1 of 7`)
		fresh.expects(prompt)
		fresh.says("ip netns list | wc -l", `0\r\n`)
		fresh.types("exit\n")
		fresh.ends()
	})
}
