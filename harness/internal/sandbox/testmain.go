package sandbox

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"golang.org/x/sys/unix"
)

// Required is the environment variable that, set to 1, makes tests fail instead of skipping when the host lacks a
// sandbox or a program: for CI.
const Required = "NETNSCHECK_REQUIRE"

// unable is the exit status if this environment cannot run the tests.
const unable = 3

// TestMain runs the tests of a package inside a sandbox and returns the exit status. Usage:
//
//	func TestMain(m *testing.M) { os.Exit(sandbox.TestMain(m)) }
//
// Outside, it starts the test binary again inside with the same arguments, and brings out the files that flags ask for
// (logs of the go command, profiles, reports of Ginkgo). If no sandbox can be had, all tests are skipped and the reason
// is printed.
func TestMain(m interface{ Run() int }) int {
	Enter()
	if Inside() {
		keepFromPrograms()
		if err := putThrough(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		return m.Run()
	}
	status, err := testInside()
	var forbidden *ForbiddenError
	switch {
	case err == nil:
		return status
	case errors.As(err, &forbidden) && os.Getenv(Required) != "1":
		fmt.Printf("skipped, every test of this package: %v\n", err)
		return 0
	case errors.As(err, &forbidden):
		fmt.Fprintln(os.Stderr, err)
		return unable
	}
	fmt.Fprintln(os.Stderr, err)
	return 1
}

// keepFromPrograms marks inherited descriptors close-on-exec, so that programs that tests start do not get them.
func keepFromPrograms() {
	for fd := 3; fd < 3+len(fileFlags); fd++ {
		if flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0); err == nil {
			unix.FcntlInt(uintptr(fd), unix.F_SETFD, flags|unix.FD_CLOEXEC)
		}
	}
}

// testInside starts this test binary inside and waits for it.
func testInside() (status int, err error) {
	args, results, err := redirect(os.Args)
	if err != nil {
		return 0, err
	}
	defer results.remove()
	c := Command{
		Args: args, Env: os.Environ(), Stdout: os.Stdout, Stderr: os.Stderr, ExtraFiles: results.files(), Open: true,
	}
	if _, err := unix.IoctlGetTermios(int(os.Stdin.Fd()), unix.TCGETS); err != nil {
		c.Stdin = os.Stdin // but not a terminal: a background process group may not read it
	}
	if err := c.toServer(); err != nil {
		return 0, err
	}
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT)
	defer signal.Stop(signals)
	p, err := Start(context.Background(), c)
	if err != nil {
		return 0, err
	}
	go func() {
		for s := range signals {
			p.Signal(s.(syscall.Signal))
		}
	}()
	status = Status(p.Wait())
	return status, results.bringOut()
}

// OwnRun runs tests with a writable /run of the sandbox's own, which is the host's /run for labs with shared names.
func OwnRun(m interface{ Run() int }) int {
	if err := unix.Mount("tmpfs", "/run", "tmpfs", unix.MS_NOSUID|unix.MS_NODEV, "mode=0755"); err != nil {
		fmt.Fprintln(os.Stderr, "mount /run:", err)
		return 1
	}
	return m.Run()
}

// Lacking skips a test for a reason that the host could remove. It fails the test if everything is required (Required).
func Lacking(t interface {
	Helper()
	Skip(...any)
	Fatal(...any)
}, reason any) {
	t.Helper()
	if os.Getenv(Required) == "1" {
		t.Fatal(reason)
	}
	t.Skip(reason)
}
