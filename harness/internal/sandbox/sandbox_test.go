package sandbox_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"netnscheck/harness/internal/sandbox"
)

// run starts the role inside, waits for its end, and returns its status and what it printed.
func run(t *testing.T, c sandbox.Command) (status int, output string) {
	t.Helper()
	var out strings.Builder
	c.Stdout, c.Stderr = &out, &out
	p, err := sandbox.Start(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	status = sandbox.Status(p.Wait())
	return status, out.String()
}

func TestInside(t *testing.T) {
	status, output := run(t, inRole("report"))
	if status != 0 {
		t.Fatal(status, output)
	}
	var in reported
	if err := json.Unmarshal([]byte(output), &in); err != nil {
		t.Fatal(err)
	}
	out := report()
	if out.Inside || !in.Inside {
		t.Errorf("inside: %v outside, %v inside", out.Inside, in.Inside)
	}
	if in.UID != 0 || in.GID != 0 {
		t.Errorf("inside it is user %d, group %d; want root", in.UID, in.GID)
	}
	for kind := range out.Namespaces {
		if (kind != "pid" || in.Facts.PIDNamespace) && out.Namespaces[kind] == in.Namespaces[kind] {
			t.Errorf("the %s namespace is the same inside: %s", kind, in.Namespaces[kind])
		}
	}
	if in.CWD != "/" {
		t.Errorf("the working directory is %s, want /", in.CWD)
	}
	if in.ProcSelf != strconv.Itoa(in.PID) {
		t.Errorf("process %d finds process %s in /proc/self", in.PID, in.ProcSelf)
	}
	if in.Facts.PIDNamespace && in.Processes != 3 {
		t.Errorf("%d processes inside, want init, the helper and the program", in.Processes)
	}
	if in.Facts.OuterUID != os.Getuid() {
		t.Errorf("started by user %d, want %d", in.Facts.OuterUID, os.Getuid())
	}
	if os.Geteuid() == 0 && (in.Facts.FirstID == 0 || len(in.Groups) > 1) {
		t.Errorf("root inside is user %d outside, with the groups %v", in.Facts.FirstID, in.Groups)
	}
}

func TestTheMachineCannotBeChanged(t *testing.T) {
	c := inRole("meddle")
	c.Env = append(c.Env, "PROCESS_OUTSIDE="+strconv.Itoa(os.Getpid()))
	if os.Geteuid() == 0 {
		c.Env = append(c.Env, "MACHINE_IS_ROOTS=1")
	}
	if status, output := run(t, c); status != 0 {
		t.Errorf("status %d\n%s", status, output)
	}
}

func TestStatusIsTheProgramsOwn(t *testing.T) {
	for role, want := range map[string]int{"exit": 7, "panic": 2, "suicide": 128 + 9, "orphan": 0} {
		if status, output := run(t, inRole(role)); status != want {
			t.Errorf("%s: status %d, want %d\n%s", role, status, want, output)
		}
	}
}

// A program may have entered, answered and ended before its answer is read, as in Possible.
func TestAProgramMayEndAtOnce(t *testing.T) {
	var trials sync.WaitGroup
	for range 8 {
		trials.Go(func() {
			for range 8 {
				if _, err := sandbox.Possible(); err != nil {
					t.Error(err)
				}
			}
		})
	}
	trials.Wait()
}

func TestSignalsArriveOnce(t *testing.T) {
	out, in := io.Pipe()
	c := inRole("signals")
	c.Stdout = in
	p, err := sandbox.Start(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	var got []string
	for lines.Scan() {
		got = append(got, lines.Text())
		next := map[string]syscall.Signal{"ready": syscall.SIGINT, "interrupt": syscall.SIGTERM}[lines.Text()]
		if next == 0 {
			break
		}
		if err := p.Signal(next); err != nil {
			t.Fatal(err)
		}
	}
	if err := p.Wait(); err != nil {
		t.Error(err)
	}
	if want := "ready interrupt terminated"; strings.Join(got, " ") != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if err := p.Signal(syscall.SIGINT); err != nil {
		t.Errorf("a signal after the end: %v", err)
	}
}

func TestTheEndOfTheContextEndsIt(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	p, err := sandbox.Start(ctx, inRole("signals"))
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := p.Wait(); err == nil {
		t.Error("it ended by itself")
	}
	if err := syscall.Kill(p.PID(), 0); !errors.Is(err, syscall.ESRCH) {
		t.Errorf("process %d is still there: %v", p.PID(), err)
	}
}

// The binary and the parent of the working directory are accessible to their owner alone, or the working directory is.
func TestAPrivateProgramInAPrivateFolder(t *testing.T) {
	dir := t.TempDir()
	private := filepath.Join(dir, "private")
	program := filepath.Join(private, "program")
	work := filepath.Join(private, "work")
	if err := errors.Join(os.Mkdir(private, 0o700), os.Mkdir(work, 0o755)); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(program, text, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{work, private} {
		cmd := exec.Command(program, "report")
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), roleVariable+"=outer", "TMPDIR="+private)
		output, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("in %s: %v\n%s", dir, err, output)
		}
		var in reported
		if err := json.Unmarshal(output, &in); err != nil {
			t.Fatal(err)
		}
		if !in.Inside || in.CWD != "/" {
			t.Errorf("started in %s: inside %v, in %q; want /", dir, in.Inside, in.CWD)
		}
	}
}

func TestExtraFilesHaveTheirNumbers(t *testing.T) {
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer read.Close()
	c := inRole("third")
	c.ExtraFiles = []*os.File{write}
	if status, output := run(t, c); status != 0 {
		t.Fatal(status, output)
	}
	write.Close()
	if got, err := io.ReadAll(read); err != nil || string(got) != "to descriptor 3" {
		t.Errorf("read %q, %v", got, err)
	}
}

func TestWhatForbidsIt(t *testing.T) {
	status, output := run(t, inRole("refused"))
	if status != 0 {
		t.Fatal(status, output)
	}
	for _, want := range []string{"user.max_user_namespaces is 0", "sysctl -w user.max_user_namespaces="} {
		if !strings.Contains(output, want) {
			t.Errorf("%q does not say %q", output, want)
		}
	}
}

func TestRootWithoutCapabilities(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root has capabilities to lose")
	}
	setpriv, err := exec.LookPath("setpriv")
	if err != nil {
		sandbox.Lacking(t, err)
	}
	cmd := exec.Command(setpriv, "--bounding-set=-setuid,-setgid", "/proc/self/exe")
	cmd.Args[2] = self(t)
	cmd.Env = append(os.Environ(), roleVariable+"=possible")
	output, err := cmd.CombinedOutput()
	if err == nil || !strings.Contains(string(output), "CAP_SETUID") {
		t.Errorf("%v: %s", err, output)
	}
}

// If a part of /proc is hidden, as in a container, the kernel does not allow a fresh mount of it (mount_too_revealing,
// fs/namespace.c): then there is no PID namespace.
func TestWithoutAFreshProc(t *testing.T) {
	unshare, err := exec.LookPath("unshare")
	if err != nil {
		sandbox.Lacking(t, err)
	}
	args := []string{"-m"}
	if os.Geteuid() != 0 {
		args = []string{"-Urm"}
	}
	cmd := exec.Command(unshare, append(args, "sh", "-c", `mount -t tmpfs hidden /proc/tty && exec "$0" "$@"`, self(t),
		"report")...)
	cmd.Env = append(os.Environ(), roleVariable+"=outer")
	output, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	var in reported
	if err := json.Unmarshal(output, &in); err != nil {
		t.Fatal(err)
	}
	if !in.Inside || in.Facts.PIDNamespace || !strings.Contains(in.Facts.NoPIDNamespace, "mount /proc") {
		t.Errorf("inside: %v, %+v", in.Inside, in.Facts)
	}
	if in.ProcSelf != strconv.Itoa(in.PID) {
		t.Errorf("process %d finds process %s in /proc/self", in.PID, in.ProcSelf)
	}
}

// self returns a path by which other programs can start this test binary.
func self(t *testing.T) string {
	t.Helper()
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func TestSubordinateIDs(t *testing.T) {
	path := filepath.Join(t.TempDir(), "subuid")
	for text, want := range map[string]string{
		"":                                      "[] <nil>",
		"a:100000:65536\n# no\n\nb:165536:10\n": "[{100000 65536 0} {165536 10 0}] <nil>",
		"a:100000\n":                            `[] read PATH: "a:100000" does not have three fields`,
	} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		ranges, err := sandbox.ReadSubordinate(path)
		got := strings.ReplaceAll(fmt.Sprint(ranges, err), path, "PATH")
		if got != want {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
	}
}
