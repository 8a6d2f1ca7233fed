package sandbox

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"syscall"

	"golang.org/x/sys/unix"
)

// Nested tries whether a program can make a user namespace below that of all programs, and change a network namespace
// that belongs to it. run runs this program again as a program of a lab, with the variables env in addition to the
// others, and returns its output. The error wraps a *ForbiddenError if the kernel refuses.
func Nested(run func(env []string) (output []byte, err error)) error {
	said, err := run([]string{orders{Stage: stageNested}.environment()})
	if err != nil {
		return fmt.Errorf("try a nested user namespace: %w", err)
	}
	var a answer
	if err := json.Unmarshal(said, &a); err != nil {
		return fmt.Errorf("read the result of a nested user namespace: %w", err)
	}
	if err := a.err(); err != nil {
		return explain(err)
	}
	return nil
}

// below is the argument of the process that is root of the third layer.
const below = "below"

// beNested is the program that Nested runs. It starts itself again in new namespaces; the child sets lo up there and
// prints the answer.
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
