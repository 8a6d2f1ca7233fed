package proof_test

import (
	"flag"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"netnscheck/harness/internal/labtest"
	"netnscheck/scenarios"
)

var seed = flag.Uint64("seed", 0, "the seed of the moments at which labs end; 0 for one of its own")

// uidOfTests is an ordinary user, unless the tests run as one.
func uidOfTests() int {
	if os.Geteuid() == 0 {
		return labtest.OrdinaryUser
	}
	return os.Geteuid()
}

// endings are ways to end a lab, or to try it.
var endings = []struct {
	name string
	end  func(p *person)
}{
	{"exit", func(p *person) { p.types("exit\n") }},
	{"Ctrl-C", func(p *person) { p.types("\x03") }},
	{"SIGHUP", func(p *person) { p.cmd.Process.Signal(syscall.SIGHUP) }},
	{"SIGKILL", func(p *person) { p.cmd.Process.Kill() }},
	{"a closed terminal", func(p *person) { p.master.Close() }},
}

// moments is how many moments each ending is tried at.
const moments = 3

// TestEndings ends a lab at random moments, while the tutorial is typed, in all ways. Nothing of it stays: no process,
// no mount, no file but what is kept of a lab; and the lab goes on where it was left.
func TestEndings(t *testing.T) {
	theProgram(t)
	if *seed == 0 {
		*seed = uint64(time.Now().UnixNano())
	}
	t.Logf("-seed %d", *seed)
	random := rand.New(rand.NewPCG(*seed, 0))
	for _, e := range endings {
		for range moments {
			// The first page has some 2,000 bytes, the whole tutorial 15,000.
			bytes, terminals := random.IntN(8000), random.IntN(3)
			t.Run(fmt.Sprintf("%s after %d bytes", e.name, bytes), func(t *testing.T) {
				t.Parallel()
				endsAt(t, bytes, terminals, e.end, e.name == "SIGKILL")
			})
		}
	}
}

// endsAt ends a lab when its terminal was sent so many bytes, with so many other terminals beside it. If its program is
// killed, what it was writing and its socket are removed the next time.
func endsAt(t *testing.T, bytes, terminals int, end func(*person), killed bool) {
	sc, err := scenarios.ByID("veth-pair")
	if err != nil {
		t.Fatal(err)
	}
	before := mounts(t)
	p := sits(t, uidOfTests(), home(t, uidOfTests()), "lab", "start", sc.ID)
	enough := func() bool { return p.bytes >= bytes || p.gone }
	var beside []*person
	typed := func(line string) {
		prompts := p.prompted()
		p.types(line)
		p.until(func() bool { return enough() || p.promptsShown() > prompts }, p.shown)
	}
	p.until(func() bool { return enough() || p.promptsShown() > 0 }, p.shown)
	if p.reached(enough) {
		terminals = 0 // there may be no lab yet
	}
	for _, what := range []string{"attach", "watch"}[:terminals] {
		beside = append(beside, p.joins("lab", what))
	}
	for _, step := range sc.Steps {
		for _, b := range step.Blocks {
			for _, c := range b.Commands {
				if len(b.Drivers) == 0 && !p.reached(enough) {
					typed(c.Text + "\n")
				}
			}
		}
	}
	end(p)
	p.goes()
	for _, other := range beside {
		other.leaves()
	}
	var left []string
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for deadline := time.Now().Add(patience); ; <-again.C {
		left = append(processes(t, p), slices.DeleteFunc(mounts(t), func(m string) bool {
			return slices.Contains(before, m)
		})...)
		if len(left) == 0 || time.Now().After(deadline) {
			break
		}
	}
	if !killed {
		left = append(left, files(t, p.home)...)
	}
	if len(left) > 0 {
		t.Errorf("this stays:\n%s\nthe terminal showed\n%s", strings.Join(left, "\n"), p.shown())
	}
	next := p.joins("lab", "start", sc.ID)
	next.sees("[veth-pair] ~ #")
	next.types("exit\n")
	if status := next.leaves(); status != 0 {
		t.Errorf("the next time: status %d\n%s", status, next.shown())
	}
	if left := files(t, p.home); len(left) > 0 {
		t.Errorf("the next time this stays:\n%s", strings.Join(left, "\n"))
	}
}

// goes lets a learner leave who did not get away with Ctrl-C. The shell may lose what is typed while it takes that in:
// he types it again at the next prompt.
func (p *person) goes() {
	p.Helper()
	typed := -1
	for {
		p.mu.Lock()
		more, lines, bytes := p.more, p.lines(), p.bytes
		p.mu.Unlock()
		// A ^C that came before the terminal was the lab's stands in front of the prompt. One that bash hears while it
		// writes the prompt stands behind it, and bash gives the next prompt only after another key.
		if n := len(lines); bytes != typed && n > 0 && prompt.MatchString(strings.Trim(lines[n-1], "^C ")) {
			typed = bytes
			p.master.WriteString("exit\n") // an error if the terminal is closed
		}
		select {
		case <-p.ended:
			return
		case <-more:
		case <-time.After(patience):
			p.Fatalf("it does not end:\n%s", p.shown())
		}
	}
}

func (p *person) shown() string { return strings.Join(p.lines(), "\n") }

func (p *person) promptsShown() (n int) {
	for _, line := range p.lines() {
		if strings.HasPrefix(line, "[veth-pair] ~ #") {
			n++
		}
	}
	return n
}

func (p *person) prompted() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.promptsShown()
}

func (p *person) reached(enough func() bool) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return enough()
}

// processes are those of a person's program, and those in its labs.
func processes(t *testing.T, p *person) (all []string) {
	t.Helper()
	dirs, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		t.Fatal(err)
	}
	for _, dir := range dirs {
		environ, _ := os.ReadFile(dir + "/environ") // it may have ended
		if strings.Contains("\x00"+string(environ), "\x00HOME="+p.home+"\x00") {
			line, _ := os.ReadFile(dir + "/cmdline")
			all = append(all, "process "+filepath.Base(dir)+" "+strings.ReplaceAll(string(line), "\x00", " "))
		}
	}
	return all
}

// mounts are those of this machine that could be a lab's.
func mounts(t *testing.T) (all []string) {
	t.Helper()
	text, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if f := strings.Fields(line); strings.Contains(line, "nsfs") || strings.Contains(line, "netns") {
			all = append(all, "mount "+strings.Join(f[3:5], " "))
		}
	}
	return all
}

// kept are the files that stay of a lab.
var kept = []string{"labs/veth-pair/history", "labs/veth-pair/lock", "labs/veth-pair/progress.json"}

// files are those in a home that nobody keeps, with the folders that have none, and that of the sockets.
func files(t *testing.T, home string) (all []string) {
	t.Helper()
	state := filepath.Join(home, ".local/state/netnscheck")
	err := filepath.WalkDir(home, func(path string, d fs.DirEntry, err error) error {
		sockets := path == filepath.Join(state, "run")
		if err != nil || strings.HasPrefix(state, path) || strings.HasPrefix(path, state) && d.IsDir() && !sockets {
			return err
		}
		if rel, err := filepath.Rel(state, path); err != nil || !slices.Contains(kept, rel) {
			all = append(all, "file "+path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}
