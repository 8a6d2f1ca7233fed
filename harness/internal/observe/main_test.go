package observe

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"netnscheck/harness/internal/netns"
	"netnscheck/harness/internal/program"
	"netnscheck/harness/scenario/started"
	"netnscheck/harness/state"

	"netnscheck/harness/internal/sandbox"
)

const inSandbox = "OBSERVE_TEST_SANDBOX"

// TestMain runs the tests again in their own user, mount and network namespaces, where an ordinary user has the
// privilege they need and nothing of the machine is in reach. If that is forbidden, they run as they are and skip.
func TestMain(m *testing.M) {
	if os.Getenv(inSandbox) != "" {
		os.Exit(m.Run())
	}
	again := exec.Command("/proc/self/exe", os.Args[1:]...)
	again.Env = append(os.Environ(), inSandbox+"=1")
	again.Stdin, again.Stdout, again.Stderr = os.Stdin, os.Stdout, os.Stderr
	again.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  unix.CLONE_NEWUSER | unix.CLONE_NEWNS | unix.CLONE_NEWNET,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}},
		Pdeathsig:   unix.SIGKILL,
	}
	err := again.Run()
	var exit *exec.ExitError
	switch {
	case err == nil:
	case errors.As(err, &exit):
		os.Exit(max(exit.ExitCode(), 1))
	default:
		os.Exit(m.Run())
	}
}

// newWorld is a World with these namespaces.
func newWorld(t testing.TB, names ...string) *netns.World {
	t.Helper()
	w, err := netns.NewHere(netns.Options{})
	if errors.Is(err, unix.EPERM) || errors.Is(err, unix.EACCES) {
		t.Skipf("no namespaces of our own here: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	})
	for _, name := range names {
		if err := w.Add(name); err != nil {
			t.Fatal(err)
		}
	}
	return w
}

// needs skips the test if a program is missing.
func needs(t testing.TB, programs ...string) {
	t.Helper()
	for _, p := range programs {
		if _, err := exec.LookPath(p); err != nil {
			sandbox.Lacking(t, program.NotInstalled(p))
		}
	}
}

// run runs a command line in a namespace and returns its output. It skips the test if a program is missing.
func run(t testing.TB, w *netns.World, ns, line string) string {
	t.Helper()
	argv := strings.Fields(line)
	needs(t, started.Programs(argv, func(string) bool { return true })...)
	out, err := try(w, ns, argv...)
	if err != nil {
		t.Fatalf("%s: %s: %v: %s", ns, line, err, out)
	}
	return out
}

func try(w *netns.World, ns string, argv ...string) (string, error) {
	var out bytes.Buffer
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := w.Do(ns, cmd.Start); err != nil {
		return "", err
	}
	err := cmd.Wait()
	return out.String(), err
}

func observed(t testing.TB, w *netns.World) *state.State {
	t.Helper()
	s, err := Lab(t.Context(), w, Options{})
	if err != nil {
		t.Fatal(err)
	}
	return s
}
