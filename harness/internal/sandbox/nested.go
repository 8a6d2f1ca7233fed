package sandbox

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"syscall"

	"golang.org/x/sys/unix"
)

// Nested tries for real whether a program can have a user namespace of its own, below that of all programs, whose
// root may change a network namespace of its own. run runs this program again as a program of a lab, with these
// variables beside its others, and returns what it printed. The error wraps a *ForbiddenError where the kernel
// refuses it.
func Nested(run func(env []string) (output []byte, err error)) error {
	said, err := run([]string{orders{Stage: stageNested}.environment()})
	if err != nil {
		return fmt.Errorf("try it in a program: %w", err)
	}
	var a answer
	if err := json.Unmarshal(said, &a); err != nil {
		return fmt.Errorf("understand the program that tries it: %w", err)
	}
	if err := a.err(); err != nil {
		return explain(err)
	}
	return nil
}

// below says that the process is root of the third layer.
const below = "below"

// beNested is the program that Nested has run: it starts itself again in namespaces of its own, which sets up the lo
// there and says what came of it.
func beNested() {
	if len(os.Args) > 1 && os.Args[1] == below {
		a := answer{}
		if err := setUp("lo"); err != nil {
			a = failed("set up lo", err)
		}
		reply(os.Stdout, a)
		exit(0)
	}
	cmd := exec.Command("/proc/self/exe", below)
	cmd.Stdout = os.Stdout
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  unix.CLONE_NEWUSER | unix.CLONE_NEWNET,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Geteuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getegid(), Size: 1}},
	}
	if err := cmd.Run(); err != nil {
		reply(os.Stdout, failed("start a process in a user namespace below this one", err))
	}
	exit(0)
}

func setUp(link string) error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	request, err := unix.NewIfreq(link)
	if err != nil {
		return err
	}
	request.SetUint16(unix.IFF_UP)
	return unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, request)
}
