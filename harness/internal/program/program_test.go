package program

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"netnscheck/harness/internal/netns"
	"netnscheck/harness/internal/sandbox"

	"golang.org/x/sys/unix"
)

func TestMain(m *testing.M) {
	if os.Getenv(ordinary) != "" {
		os.Exit(m.Run())
	}
	os.Exit(sandbox.TestMain(m))
}

// ordinary is set in the environment of a test binary that runs as an ordinary user (see unprivileged).
const ordinary = "NETNSCHECK_TEST_ORDINARY"

// lab returns the World in which the programs of a test run.
func lab(t *testing.T) *netns.World {
	t.Helper()
	w, err := netns.New(netns.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	})
	return w
}

// together runs a program with one pipe for its output.
func (r runner) together(ctx context.Context, argv []string, limit time.Duration) ([]byte, int, error) {
	p, status, err := r.run(ctx, argv, limit, false)
	return p.All, status, err
}

// in runs programs on the host of a lab.
func in(w *netns.World) runner {
	return runner{start: w.Start, tasks: w.Tasks, maxTasks: w.MaxTasks()}
}

const long = time.Minute

func TestRunKeepsWhatIsPrintedAndTheStatus(t *testing.T) {
	t.Setenv("LC_MESSAGES", "de_DE.UTF-8")
	t.Setenv("PATH", "/nonexistent:bin")
	for _, tt := range []struct {
		name, script, output string
		status               int
	}{
		{"both streams in order", "echo one; echo two >&2; echo three", "one\ntwo\nthree\n", 0},
		{"a stream opened again", "echo one; echo two >/dev/stderr; echo three >/dev/stdout", "one\ntwo\nthree\n", 0},
		{"status", "exit 7", "", 7},
		{"signal", "kill -TERM $$", "", 128 + int(unix.SIGTERM)},
		{"no input", "cat; echo end", "end\n", 0},
		{"a folder of its own", "pwd", "/\n", 0},
		{"language", "echo $LC_ALL-$LC_MESSAGES-$LANG", "C--\n", 0},
		{"more than a pipe holds", "head -c 300000 /dev/zero | tr '\\0' x", strings.Repeat("x", 300000), 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			output, status, err := in(lab(t)).together(t.Context(), []string{"sh", "-c", tt.script}, long)
			if err != nil || status != tt.status || string(output) != tt.output {
				t.Errorf("run: %q, status %d, error %v; want %q, status %d", head(output), status, err,
					head([]byte(tt.output)), tt.status)
			}
		})
	}
}

// TestStandardErrorApart: it is told apart from standard output, and is in what was printed altogether.
func TestStandardErrorApart(t *testing.T) {
	for _, tt := range []struct{ script, all, errors string }{
		{"echo one", "one\n", ""},
		{"echo one >&2", "one\n", "one\n"},
		{"echo one; exec >&-; echo two >&2", "", "two\n"},
		{"echo one >/dev/stderr; sleep 1000 & ", "one\n", "one\n"},
		{"head -c 300000 /dev/zero >&2", strings.Repeat("\x00", 300000), strings.Repeat("\x00", 300000)},
	} {
		p, status, err := in(lab(t)).run(t.Context(), []string{"sh", "-c", tt.script}, long, true)
		all := string(p.All)
		if tt.all == "" && strings.Contains(all, "one\n") && strings.Contains(all, "two\n") {
			all = "" // in whatever order
		}
		if err != nil || status != 0 || all != tt.all || string(p.Errors) != tt.errors {
			t.Errorf("%s: %q, %q, status %d, error %v; want %q, %q", tt.script, head(p.All), head(p.Errors), status, err,
				head([]byte(tt.all)), head([]byte(tt.errors)))
		}
	}
}

func TestRunCutsEndlessOutput(t *testing.T) {
	argv := []string{"head", "-c", strconv.Itoa(maxOutput + 1), "/dev/zero"}
	output, status, err := in(lab(t)).together(t.Context(), argv, long)
	if err != nil || status != 0 {
		t.Fatalf("status %d, error %v", status, err)
	}
	if want := "\x00\n[cut after 1 MiB]\n"; !strings.HasSuffix(string(output), want) ||
		len(output) != maxOutput+len(want)-1 {
		t.Errorf("%d bytes that end in %q, want %q at the end", len(output), output[len(output)-30:], want)
	}
}

func TestRunDoesNotWaitForTheBackground(t *testing.T) {
	w := lab(t)
	const fifo = "/run/fifo"
	if err := w.InMounts(func() error { return unix.Mkfifo(fifo, 0o600) }); err != nil {
		t.Fatal(err)
	}
	// The background process keeps the pipe open until the FIFO is opened, prints more than a pipe holds, and reports
	// that through the FIFO.
	script := `(read go <"$1"; head -c 200000 /dev/zero; echo alive >"$1") & echo $!`
	output, status, err := in(w).together(t.Context(), []string{"sh", "-c", script, "sh", fifo}, long)
	if err != nil || status != 0 {
		t.Fatalf("status %d, error %v", status, err)
	}
	if _, err := strconv.Atoi(strings.TrimSpace(string(output))); err != nil {
		t.Fatalf("output %q, want the number of the process in the background", output)
	}
	var said []byte
	if err := w.InMounts(func() (err error) {
		if err = os.WriteFile(fifo, []byte("go\n"), 0); err == nil {
			said, err = os.ReadFile(fifo)
		}
		return err
	}); err != nil || string(said) != "alive\n" {
		t.Errorf("the process in the background said %q, %v; want it alive", said, err)
	}
}

func TestRunIsBoundedThoughTheBackgroundPrintsForEver(t *testing.T) {
	w := lab(t)
	output, status, err := in(w).together(t.Context(), []string{"sh", "-c", "yes & echo $!"}, long)
	if err != nil || status != 0 {
		t.Fatalf("status %d, error %v", status, err)
	}
	pid, _ := strconv.Atoi(firstNumber(string(output)))
	if pid <= 1 {
		t.Fatalf("no process number in %q", head(output))
	}
	kill := []string{"sh", "-c", "kill -KILL " + strconv.Itoa(pid)} // a builtin of sh
	if _, status, err := in(w).together(t.Context(), kill, long); err != nil || status != 0 {
		t.Errorf("kill the process in the background: status %d, %v", status, err)
	}
}

func TestRunKillsTheGroup(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: it waits for limits of a second")
	}
	cancelled := errors.New("the user wants to leave")
	for _, tt := range []struct {
		name  string
		limit time.Duration
		after time.Duration
		want  error
	}{
		{"at the limit", time.Second, long, ErrLimit},
		{"when cancelled", long, time.Second, cancelled},
	} {
		t.Run(tt.name, func(t *testing.T) {
			ctx, cancel := context.WithTimeoutCause(t.Context(), tt.after, cancelled)
			defer cancel()
			w := lab(t)
			output, status, err := in(w).together(ctx, []string{"sh", "-c", "sleep 1000 & echo $!; wait"}, tt.limit)
			if !errors.Is(err, tt.want) || status != 128+int(unix.SIGKILL) {
				t.Errorf("status %d, error %v; want status 137 and %v", status, err, tt.want)
			}
			child, _ := strconv.Atoi(strings.TrimSpace(string(output)))
			if child <= 1 {
				t.Fatalf("output %q, want the number of the child", output)
			}
			waitUntilDead(t, w, child)
		})
	}
}

func TestRunSaysWhenThereIsNoProgram(t *testing.T) {
	w := lab(t)
	for _, name := range []string{"no-such-program", "/no/such/program"} {
		if _, _, err := in(w).together(t.Context(), []string{name}, long); !errors.Is(err, exec.ErrNotFound) {
			t.Errorf("run %s: %v, want %v", name, err, exec.ErrNotFound)
		}
	}
	dir := t.TempDir()
	notExecutable := filepath.Join(dir, "notes")
	if err := os.WriteFile(notExecutable, []byte("text"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir)
	if path, err := LookPath("notes"); err == nil {
		t.Errorf("LookPath found %s, which cannot be executed", path)
	}
	if _, _, err := in(w).together(t.Context(), []string{"/etc/passwd"}, long); !errors.Is(err, unix.EACCES) {
		t.Errorf("run a text file: %v, want %v", err, unix.EACCES)
	}
}

// waitUntilDead waits until the process is gone or a zombie that its new parent has yet to reap.
func waitUntilDead(t *testing.T, w *netns.World, pid int) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		var stat []byte
		err := w.InMounts(func() (err error) {
			stat, err = os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
			return err
		})
		if err != nil || strings.Contains(string(stat), ") Z ") {
			return
		}
	}
	t.Errorf("process %d of the killed group lives on", pid)
}

func firstNumber(s string) string {
	for _, word := range strings.Fields(s) {
		if _, err := strconv.Atoi(word); err == nil {
			return word
		}
	}
	return ""
}

func head(b []byte) string { return string(b[:min(len(b), 60)]) }
