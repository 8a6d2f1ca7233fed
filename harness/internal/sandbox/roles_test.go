package sandbox_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"netnscheck/harness/internal/netns"
	"netnscheck/harness/internal/sandbox"
)

// roleVariable gives the test binary another role than running tests: the tests here run outside and start it again.
const roleVariable = "NETNSCHECK_TEST_ROLE"

func TestMain(m *testing.M) {
	role := os.Getenv(roleVariable)
	switch role { // they call Enter by themselves
	case "testmain":
		os.Exit(sandbox.TestMain(flagWriter{}))
	case "parallel":
		os.Exit(sandbox.TestMain(talker{}))
	}
	sandbox.Enter()
	if play, ok := roles[role]; ok {
		if err := play(); err != nil {
			fmt.Fprintln(os.Stderr, role+":", err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	if _, err := sandbox.Possible(); err != nil {
		var forbidden *sandbox.ForbiddenError
		if !errors.As(err, &forbidden) || os.Getenv(sandbox.Required) == "1" {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(3)
		}
		fmt.Println("skipped, every test of this package:", err)
		os.Exit(0)
	}
	// Under the race detector a process sleeps for a second before it exits, which is too long for those started here.
	os.Setenv("GORACE", os.Getenv("GORACE")+" atexit_sleep_ms=0")
	os.Exit(m.Run())
}

var roles = map[string]func() error{
	"report":   func() error { return json.NewEncoder(os.Stdout).Encode(report()) },
	"outer":    outer,
	"labs":     labs,
	"exit":     func() error { os.Exit(7); return nil },
	"panic":    func() error { panic("on purpose") },
	"suicide":  func() error { unix.Kill(os.Getpid(), unix.SIGKILL); select {} },
	"signals":  countSignals,
	"orphan":   orphan,
	"meddle":   meddle,
	"refused":  refused,
	"third":    func() error { _, err := os.NewFile(3, "third").WriteString("to descriptor 3"); return err },
	"possible": func() error { _, err := sandbox.Possible(); return err },
}

// reported is what a process reports about itself.
type reported struct {
	Inside     bool
	Facts      sandbox.Facts
	UID, GID   int
	Groups     []int
	PID        int
	ProcSelf   string
	Namespaces map[string]string
	Processes  int
	CWD        string
}

func report() reported {
	facts, inside := sandbox.Current()
	if inside {
		// The worker may run before init has started the helper. It is there once it has answered, and stays as long as
		// the connection to it.
		if _, err := sandbox.Helper(); err != nil {
			panic(err)
		}
	}
	r := reported{Inside: inside, Facts: facts, UID: os.Getuid(), GID: os.Getgid(), PID: os.Getpid(),
		Namespaces: map[string]string{}}
	r.Groups, _ = os.Getgroups()
	r.ProcSelf, _ = os.Readlink("/proc/self")
	for _, kind := range []string{"user", "mnt", "pid", "net", "ipc", "uts"} {
		r.Namespaces[kind], _ = os.Readlink("/proc/self/ns/" + kind)
	}
	processes, _ := filepath.Glob("/proc/[0-9]*")
	r.Processes = len(processes)
	r.CWD, _ = os.Getwd()
	return r
}

// outer is a process outside that starts the role in its argument inside and waits for it.
func outer() error {
	p, err := sandbox.Start(context.Background(), inRole(os.Args[1]))
	if err != nil {
		return err
	}
	os.Exit(sandbox.Status(p.Wait()))
	return nil
}

// inRole returns the command that starts the test binary in another role.
func inRole(role string, args ...string) sandbox.Command {
	return sandbox.Command{
		Args: append([]string{os.Args[0]}, args...), Env: append(os.Environ(), roleVariable+"="+role),
		Stdout: os.Stdout, Stderr: os.Stderr,
	}
}

// labs makes labs with programs in them and closes them, forever. It reports when the first is ready.
func labs() error {
	for i := 0; ; i++ {
		w, err := netns.New(netns.Options{})
		if err != nil {
			return err
		}
		for _, name := range []string{"testns", "prodns"} {
			if err := w.Add(name); err != nil {
				return err
			}
		}
		for name, text := range map[string]string{
			netns.Host: "sleep 4712 & exec sleep 4712", "testns": "(setsid sleep 4712 &) ; exec sleep 4712",
		} {
			sh := netns.Program{Path: "/bin/sh", Args: []string{"sh", "-c", text}, Env: os.Environ()}
			if _, err := w.StartIn(name, sh); err != nil {
				return err
			}
		}
		if i == 0 {
			fmt.Println("ready")
		}
		if i%2 == 1 {
			if err := w.Close(); err != nil {
				return err
			}
		}
	}
}

// countSignals reports the signals that arrive, until SIGTERM does.
func countSignals() error {
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM)
	fmt.Println("ready")
	for s := range signals {
		fmt.Println(s)
		if s == syscall.SIGTERM {
			return nil
		}
	}
	return nil
}

// orphan makes an orphan and waits until it has been reparented and reaped.
func orphan() error {
	output, err := exec.Command("/bin/sh", "-c", "true & echo $!").Output()
	if err != nil {
		return err
	}
	path := filepath.Join("/proc", strings.TrimSpace(string(output)))
	if !await(func() bool { _, err := os.Stat(path); return err != nil }) {
		return fmt.Errorf("%s is still there", path)
	}
	return nil
}

// meddle tries to change the host; the error lists what it could change.
func meddle() error {
	var could []string
	try := func(what string, err error) {
		if err == nil {
			could = append(could, what)
		}
	}
	name, err := os.Hostname()
	if err != nil {
		return err
	}
	try("write kernel.hostname", os.WriteFile("/proc/sys/kernel/hostname", []byte(name), 0))
	if os.Getenv("MACHINE_IS_ROOTS") != "" {
		try("write /etc", os.WriteFile("/etc/netnscheck-must-not-be", nil, 0o600))
		try("read /etc/shadow", read("/etc/shadow"))
	}
	try("write /usr", os.WriteFile("/usr/netnscheck-must-not-be", nil, 0o600))
	try("write /", os.WriteFile("/netnscheck-must-not-be", nil, 0o600))
	if outside, err := strconv.Atoi(os.Getenv("PROCESS_OUTSIDE")); err != nil {
		return err
	} else if facts, _ := sandbox.Current(); facts.PIDNamespace {
		try("see a process outside", unix.Kill(outside, 0))
	}
	if len(could) > 0 {
		return fmt.Errorf("could %s", strings.Join(could, ", "))
	}
	return nil
}

func read(path string) error {
	_, err := os.ReadFile(path)
	return err
}

// refused forbids user namespaces inside, and reports the error of a further sandbox.
func refused() error {
	if err := os.WriteFile("/proc/sys/user/max_user_namespaces", []byte("0"), 0); err != nil {
		return err
	}
	cmd := exec.Command("/bin/true")
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWUSER}
	fmt.Println(sandbox.Explain(cmd.Run()))
	return nil
}

// flagWriter writes the files that its flags name, as package testing would.
type flagWriter struct{}

func (flagWriter) Run() int {
	names, paths, isDir := sandbox.FlagFiles(os.Args)
	for i, path := range paths {
		if isDir[i] {
			path = filepath.Join(path, "below", "file")
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				fmt.Fprintln(os.Stderr, err)
				return 1
			}
		}
		if names[i] == "test.memprofile" {
			continue // this one is not written
		}
		if err := os.WriteFile(path, []byte(names[i]), 0o600); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
	}
	fmt.Println("inside:", sandbox.Inside())
	return 5
}

// await polls a condition, for a minute at most.
func await(ask func() bool) bool {
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(2 * time.Millisecond) {
		if ask() {
			return true
		}
		if time.Now().After(deadline) {
			return false
		}
	}
}
