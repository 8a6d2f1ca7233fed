package siege_test

import (
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"

	"netnscheck/harness/internal/sandbox"
	"netnscheck/harness/internal/session/shell"
	"netnscheck/harness/internal/session/wire"
	"netnscheck/harness/sitting/progress"
)

// sitter is a caller who sits at a terminal in a lab, where he runs attacks: a learner who means harm, or who runs what
// somebody has given him.
type sitter struct {
	*caller
	r             *running
	master, slave *os.File

	mu   sync.Mutex
	seen []byte
	more chan struct{} // closed when more was seen, and replaced
	at   int           // how much was expected so far
}

// labPrompt is the prompt of the lab in which a sitter is.
const labPrompt = `\[lab\] ~ # `

// sit starts a lab with the honest scenario.
func (c *caller) sit() *sitter {
	c.Helper()
	if _, err := exec.LookPath("bash"); err != nil {
		sandbox.Lacking(c.T, err)
	}
	c.env = append(c.env, "XDG_STATE_HOME=", "XDG_RUNTIME_DIR=", "TERM=xterm", "NO_COLOR=1", "LC_ALL=C.UTF-8")
	path := filepath.Join(c.dir, "lab.md")
	if _, err := os.Lstat(path); err != nil {
		c.file(path, honest, 0o644)
	}
	s := &sitter{caller: c, more: make(chan struct{})}
	s.master, s.slave = c.pty()
	c.terminal = s.slave
	s.r = c.start("lab", "start", "lab.md", "--shell", "bash")
	go s.look()
	s.expects(labPrompt)
	return s
}

func (s *sitter) look() {
	buf := make([]byte, 4096)
	for {
		n, err := s.master.Read(buf)
		s.mu.Lock()
		s.seen = append(s.seen, buf[:n]...)
		close(s.more)
		s.more = make(chan struct{})
		s.mu.Unlock()
		if err != nil {
			return
		}
	}
}

// expects waits until a pattern appears behind what was expected before, and returns what stood before it.
func (s *sitter) expects(pattern string) (before string) {
	s.Helper()
	find := regexp.MustCompile(pattern)
	for {
		s.mu.Lock()
		text, more := s.seen[s.at:], s.more // what was seen is only added to
		s.mu.Unlock()
		if at := find.FindIndex(text); at != nil {
			s.at += at[1]
			return string(text[:at[0]])
		}
		select {
		case <-more:
		case <-s.r.ctx.Done():
			s.Fatalf("%q did not appear:\n%.4000q", pattern, text)
		}
	}
}

// attacks runs the attacker, to its end, and waits for the prompt after it.
func (s *sitter) attacks(words ...string) {
	s.Helper()
	said := s.runs(strings.Join(append([]string{attackName}, words...), " "))
	if !strings.Contains(said, done) {
		s.Errorf("the attack %s was cut short:\n%.4000q", words[0], said)
	}
	for line := range strings.Lines(said) {
		if strings.HasPrefix(line, broke) {
			s.Errorf("the attack says: %s", line)
		}
	}
}

// runs runs a command and returns what was shown until its end. (A prompt may be shown again above late news.)
func (s *sitter) runs(command string) string {
	s.Helper()
	s.types(command + "; echo e''nded\n")
	said := s.expects("ended\r\n")
	s.expects(labPrompt)
	return said
}

func (s *sitter) types(keys string) {
	s.Helper()
	_, err := io.WriteString(s.master, keys)
	s.must(err)
}

// leaves ends the lab, and looks at what is left: the canaries, the terminal, the progress.
func (s *sitter) leaves() *progress.File {
	s.Helper()
	s.types("exit\n")
	s.r.cmd.Wait() // the status is looked at below
	if s.r.ctx.Err() != nil {
		s.Fatal("the lab did not end")
	}
	if typed := readNow(s.slave); typed != "" {
		s.Errorf("this was typed into the terminal: %q", typed)
	}
	s.mu.Lock()
	o := &outcome{text: string(s.seen), status: s.r.cmd.ProcessState.ExitCode(), ended: true}
	s.mu.Unlock()
	if o.status != 0 {
		s.Errorf("it ended with status %d:\n%.4000q", o.status, o.text[max(0, len(o.text)-4000):])
	}
	s.intact(o)
	files, err := filepath.Glob(filepath.Join(s.home, ".local/state/netnscheck/labs/*/progress.json"))
	if err != nil || len(files) != 1 {
		s.Fatalf("the progress is in %q, %v", files, err)
	}
	text, err := os.ReadFile(files[0])
	s.must(err)
	f, err := progress.Decode(text)
	s.must(err)
	return f
}

// TestLabTerminal: what runs in a lab, on a terminal that it may do anything with, types nothing into the learner's
// own.
func TestLabTerminal(t *testing.T) {
	besiege(t, func(c *caller) {
		word := "typed" + strings.ReplaceAll(c.name, "-", "")
		s := c.sit()
		s.runs(attackName + " own-terminal " + mirrored(word) + "; stty sane")
		s.leaves()
	})
}

// attackOwnTerminal inserts input into each terminal that can be found, takes it for itself alone, and hangs it up: the
// program's own, those of others, and new ones: WORD
func attackOwnTerminal(args []string) {
	attackTerminal(args)
	for _, pattern := range []string{"/dev/tty", "/dev/pts/*", "/dev/ptmx"} {
		paths, _ := filepath.Glob(pattern)
		for _, path := range paths {
			fd, err := unix.Open(path, unix.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK, 0)
			if err != nil {
				continue
			}
			for _, request := range []uint{unix.TIOCCONS, unix.TIOCVHANGUP, unix.TIOCEXCL, unix.TIOCSCTTY} {
				unix.IoctlSetInt(fd, request, 1)
			}
			unix.Close(fd)
		}
	}
}

// TestLabNeighbours: the processes of a lab that its programs see, such as the shell and the helper, lead nowhere.
func TestLabNeighbours(t *testing.T) {
	besiege(t, func(c *caller) {
		token := c.secret("what the caller has in his environment")
		c.env = append(c.env, "SIEGE_TOKEN=token:"+token)
		server, abstract := c.listen("tcp", "127.0.0.1:0"), c.listen("unix", "@"+c.name)
		file := c.precious(filepath.Join(c.home, "precious"), c.secret("a file in the home of the caller"), 0o666)
		planted := c.absent(filepath.Join("/tmp", c.name))
		s := c.sit()
		setns := append([]string{"setns", server, abstract}, ownNamespaces()...)
		for _, attack := range [][]string{{"read", file}, {"environment"}, {"descriptors"}, {"rights", file},
			append(setns, file), {"inject", server, file, planted}} {
			s.attacks(attack...)
		}
		s.leaves()
	})
}

func ownNamespaces() (all []string) {
	for _, kind := range namespaceKinds {
		all = append(all, ownNamespace(kind))
	}
	return all
}

// TestLabMarks: a program that knows the secret of the shell's hooks, and writes marks of its own, harms its own lab's
// record at most: the work that follows counts, the progress can be read, and the lab goes on with it.
func TestLabMarks(t *testing.T) {
	besiege(t, func(c *caller) {
		planted := c.absent(filepath.Join("/tmp", c.name))
		s := c.sit()
		s.attacks("marks", planted)
		s.runs("ip netns add proof")
		if said := s.runs("lab check"); !strings.Contains(said, "“Honest” is done") {
			s.Errorf("lab check says %q", said)
		}
		if f := s.leaves(); f.DoneSteps() != 1 {
			s.Errorf("what was done does not count: %+v", f.Steps)
		}
		s = c.sit()
		if said := s.runs("ls /run/netns"); !strings.Contains(said, "proof") {
			s.Errorf("the next time there is no proof: %q", said)
		}
		s.leaves()
	})
}

// attackMarks writes marks that no shell writes, and very many that one might: a file to plant
func attackMarks(args []string) {
	hooks, err := os.ReadFile(shell.Home + "/bashrc")
	found := regexp.MustCompile(`__lab_secret=(\w+)`).FindSubmatch(hooks)
	if err != nil || found == nil {
		fmt.Println("the secret is not found:", err)
		return
	}
	mark := func(fields ...string) { os.Stdout.WriteString(shell.Mark(string(found[1]), fields...)) }
	for _, status := range []string{"99999999999999999999", "-1", "256", "x", "1;2", ""} {
		mark("C", "", "true")
		mark("D", status)
		mark("P")
	}
	for _, netns := range []string{"../../../../tmp", "host", "\\e[2J", "\\n", "proof", strings.Repeat("n", 300),
		"\xff"} {
		mark("C", netns, "touch "+args[0])
		mark("D", "0")
		mark("P")
	}
	for _, line := range []string{strings.Repeat("x", 60<<10), "\\e]0;x\\a", "a\\nb", "\xff\xfe", "lab", "'", "$(",
		"{{x}}",
		strings.Repeat("(", 4000)} {
		mark("C", "", line)
		mark("P")
	}
	for range 10_000 {
		mark("P")
	}
	for range 100 {
		mark("C", "", "true")
		mark("P")
	}
	os.Stdout.WriteString(strings.TrimSuffix(shell.Mark(string(found[1]), "C", "", "half a mark"), "\a") + "\n")
}

// TestLabSocket: whatever a program writes to the socket by which the command lab asks, the lab goes on, and answers
// when it has ended.
func TestLabSocket(t *testing.T) {
	besiege(t, func(c *caller) {
		s := c.sit()
		s.attacks("ask")
		s.runs("ip netns add proof")
		if said := s.runs("lab check"); !strings.Contains(said, "“Honest” is done") {
			s.Errorf("lab check says %q", said)
		}
		s.leaves()
	})
}

// attackAsking writes to the lab's socket what is no request, more than one may be, and many at once that nobody reads
// the answers of.
func attackAsking([]string) {
	dial := func() net.Conn {
		conn, err := net.Dial("unix", shell.Socket)
		if err != nil {
			fmt.Println("dial:", err)
			return nil
		}
		return conn
	}
	frame := func(kind byte, size uint32, payload string) []byte {
		return append(binary.BigEndian.AppendUint32([]byte{kind}, size), payload...)
	}
	for _, text := range [][]byte{
		nil, []byte("GET / HTTP/1.1\r\n\r\n"), frame('m', 1<<32-1, "x"), frame('m', 16<<10+1, "x"), frame('m', 2, "{"),
		frame('m', 12, `{"Do":"xyz"}`), frame('m', 14, `{"Do":"watch"}x`), frame('b', 4, "\x00\x00\x00\x01"),
		frame('m', 10, strings.Repeat("[", 10)), frame('m', 15, `{"Do":"attach"}`),
		frame('m', 9000, strings.Repeat("[", 9000)), frame('m', 13, `{"Do":"view"}`+strings.Repeat("m", 9000)),
	} {
		if conn := dial(); conn != nil {
			conn.Write(text)
			conn.Close()
		}
	}
	var held []net.Conn
	for range 100 { // more than are served at once, and none of them reads
		if conn := dial(); conn != nil {
			wire.NewWriter(conn).Message(wire.Request{Do: wire.Watch})
			held = append(held, conn)
		}
	}
	for i := range 50 { // there is much to tell them
		exec.Command("ip", "link", "add", fmt.Sprintf("many%d", i), "type", "dummy").Run()
	}
	exec.Command("sh", "-c", "for i in $(seq 50); do ip link del many$((i-1)); done").Run()
	for _, conn := range held {
		conn.Close()
	}
	for answered := false; !answered; { // there is a place again
		conn := dial()
		if conn == nil {
			return
		}
		wire.NewWriter(conn).Message(wire.Request{Do: wire.View})
		_, err := wire.NewReader(conn).Next()
		conn.Close()
		answered = err == nil
	}
}

// TestLabObserver: what observes a lab cannot be told of changes that there are none of.
func TestLabObserver(t *testing.T) {
	besiege(t, func(c *caller) {
		s := c.sit()
		s.runs("ip netns add proof")
		s.attacks("spoof")
		if said := s.runs("ip netns exec proof " + attackName + " spoof"); !strings.Contains(said, done) {
			s.Errorf("the attack in the namespace was cut short: %q", said)
		}
		for _, command := range []string{"lab map", "lab check"} {
			if said := s.runs(command); strings.Contains(said, "forged0") || strings.Contains(said, "127.0.0.9") {
				s.Errorf("%s shows what was forged: %q", command, said)
			}
		}
		s.leaves()
	})
}
