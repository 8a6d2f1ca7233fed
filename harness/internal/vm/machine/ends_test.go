package machine

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"netnscheck/harness/internal/labtest"
)

// TestEnds has real guests end in every way that a kernel without a fault of its own can be brought to.
func TestEnds(t *testing.T) {
	labtest.NeedsKernels(t)
	for name, c := range map[string]struct {
		args   []string
		change func(*Guest)
		class  Class
		words  string // in the End's
		status int
		faults []Class
	}{
		"passes":      {args: []string{"pass"}, class: Passed, words: "passed"},
		"as the user": {args: []string{"who", "userns"}, change: func(g *Guest) { g.User = true }, class: Passed},
		"fails":       {args: []string{"fail"}, class: Failed, words: "status 1", status: 1},
		"a panic": {args: []string{"sysrq=c"}, class: Panic, words: "Kernel panic - not syncing: sysrq triggered crash",
			status: -1, faults: []Class{Panic}},
		"a taint": {args: []string{"taint=64"}, class: Taint, words: "a user asked for the taint (U)"},
		"all memory": {args: []string{"memory"}, class: OutOfMemory, words: "Out of memory: Killed process",
			status: 137, faults: []Class{OutOfMemory}},
		"a full disk": {args: []string{"fill"}, class: Passed},
		"powers off":  {args: []string{"off"}, class: NoResult, words: "without an exit record", status: -1},
		"restarts":    {args: []string{"restart"}, class: NoResult, words: "without an exit record", status: -1},
		"no frame": {args: []string{"frames=garbage\x1b[2J"}, class: NoResult, words: "the guest sent a frame that",
			status: -1},
		"a console full of garbage": {args: []string{"console"}, class: Passed},
		"sleeps for ever": {args: []string{"sleep"}, class: Hang, words: "it told nothing for 2m0s of the guest's time",
			status: 143},
		"runs too long": {args: []string{"sleep"}, change: func(g *Guest) { g.Limit = time.Minute }, class: Hang,
			words: "it still ran after 1m0s of the guest's time", status: 143},
		"a lasting process": {args: []string{"orphan"}, class: Passed},
		"spins": {args: []string{"spin"}, change: func(g *Guest) {
			short := patient
			short.silent = 12 * time.Second
			g.patience = &short
		}, class: Hang, words: "no sign of life for 12s", status: -1, faults: []Class{Panic}},
		"two processors in real time": {args: []string{"processors=2"}, change: func(g *Guest) {
			g.Virtual, g.CPUs = false, 2
		}, class: Passed},
		"evidence": {args: []string{"result=a.txt"}, class: Passed},
		"no init": {change: func(g *Guest) { g.Initrd = os.DevNull }, class: NotStarted,
			words: "the kernel found no init that it can start", status: -1, faults: []Class{Panic}},
		"no kernel": {change: func(g *Guest) { g.Kernel = g.Initrd }, class: NotStarted, words: "exited with status 1",
			status: -1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := troubled(t, c.args...)
			g.Quiet = 2 * time.Minute
			if c.change != nil {
				c.change(&g)
			}
			var told []string
			end, err := Run(t.Context(), g, func(e Event) { told = append(told, tellOf(e)...) })
			if err != nil {
				t.Fatal(err)
			}
			console, err := os.ReadFile(end.Console)
			if err != nil {
				t.Fatal(err)
			}
			var faults []Class
			for _, f := range end.Faults {
				if !slices.Contains(faults, f.Class) {
					faults = append(faults, f.Class)
				}
			}
			if end.Class != c.class || !strings.Contains(end.Words, c.words) || end.Status != c.status ||
				!slices.Equal(faults, c.faults) {
				t.Errorf("%s: %s, status %d, %v after %v\nconsole:\n%.8000q", end.Class, end.Words, end.Status, faults,
					end.Took, console)
			}
			if c.class != NotStarted && !slices.Contains(told, "end first") {
				t.Errorf("the case that had ended is lost: %q", told)
			}
			if name == "evidence" {
				if text, err := os.ReadFile(strings.Join(end.Evidence, " ")); string(text) != "evidence\n" {
					t.Errorf("the evidence is %q, %q, %v", end.Evidence, text, err)
				}
			}
			t.Logf("%v, %s: %s; told %q", end.Took, end.Class, end.Words, told)
		})
	}
}

func tellOf(e Event) []string {
	switch {
	case e.Begin != nil:
		return []string{"begin " + e.Begin.Name}
	case e.Case != nil:
		return []string{"end " + e.Case.Name}
	case e.Output != "":
		return []string{e.Output}
	}
	return nil
}

// TestKernelLog: the harness in a guest reads what its kernel says, and takes nobody's words for the kernel's.
func TestKernelLog(t *testing.T) {
	labtest.NeedsKernels(t)
	t.Parallel()
	const tainted = "told: the kernel was tainted: a user asked for the taint (U)"
	for name, c := range map[string]struct {
		do   []string
		want []string
		not  string
	}{
		"by a program": {do: []string{"kmsg=<4>WARNING: CPU: 0 PID: 1 at a.c:1 by_a_program+0x1/0x2", "sysrq=h"},
			want: []string{"read; [", "sysrq: HELP"}, not: "by_a_program"},
		"a taint": {do: []string{"taint=64"}, want: []string{tainted + "\n"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var output strings.Builder
			_, err := Run(t.Context(), troubled(t, slices.Concat([]string{"watch"}, c.do, []string{"watched"})...),
				func(e Event) { output.WriteString(e.Output) })
			if err != nil {
				t.Fatal(err)
			}
			for _, want := range c.want {
				if !strings.Contains(output.String(), want) {
					t.Errorf("no %q in %s", want, &output)
				}
			}
			if c.not != "" && strings.Contains(output.String(), c.not) {
				t.Errorf("%q in %s", c.not, &output)
			}
		})
	}
}

// TestInterrupted: a run that is interrupted keeps what was told before, and ends qemu.
func TestInterrupted(t *testing.T) {
	labtest.NeedsKernels(t)
	t.Parallel()
	g := troubled(t, "sleep")
	g.Virtual = false
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	end, err := Run(ctx, g, func(e Event) {
		if e.Case != nil {
			cancel(os.ErrDeadlineExceeded)
		}
	})
	if err == nil || !errors.Is(err, os.ErrDeadlineExceeded) || end.Class != NoResult || end.Ready == nil {
		t.Errorf("%+v, %v", end, err)
	}
	if _, err := os.Stat(filepath.Join(g.Folder, initrdFile)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the initramfs is left: %v", err)
	}
}

// TestShell: the harness has the user's terminal, with its size, in both directions.
func TestShell(t *testing.T) {
	labtest.NeedsKernels(t)
	t.Parallel()
	g := troubled(t, "terminal")
	g.User = true
	typed, keys := io.Pipe()
	screen := &screen{Reader: typed, keys: keys}
	end, err := Shell(t.Context(), g, screen)
	if err != nil || end.Class != Passed || screen.taken {
		t.Errorf("%+v, %v; the terminal is taken: %v", end, err, screen.taken)
	}
	for _, want := range []string{"size 31 117, uid 1000\r\n", "size 31 100\r\n", "read \"\\x01hello\""} {
		if !strings.Contains(screen.text.String(), want) {
			t.Errorf("%q is not in %q", want, screen.text.String())
		}
	}
}

// screen is a terminal with a person who answers what it shows.
type screen struct {
	io.Reader
	keys   *io.PipeWriter
	text   bytes.Buffer
	taken  bool
	resize func(rows, columns uint16)
}

func (s *screen) Size() (rows, columns uint16) { return 31, 117 }
func (s *screen) Take() error                  { s.taken = true; return nil }
func (s *screen) Give()                        { s.taken = false }

func (s *screen) OnResize(f func(rows, columns uint16)) (stop func()) {
	s.resize = f
	return func() {}
}

func (s *screen) Write(text []byte) (int, error) {
	before := s.text.String()
	s.text.Write(text)
	first := func(what string) bool {
		return !strings.Contains(before, what) && strings.Contains(s.text.String(), what)
	}
	switch {
	case first("117, uid"):
		go s.resize(31, 100)
	case first("31 100"):
		go s.keys.Write([]byte("\x01hello\r")) // Ctrl-A is a key like others
	}
	return len(text), nil
}
