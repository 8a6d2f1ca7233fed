package sandbox

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"syscall"

	"golang.org/x/sys/unix"
)

// Nested tries for real whether a program that start starts can have a user namespace of its own, below that of this process, whose
// root may change a network namespace of its own. The error wraps a *ForbiddenError where the kernel refuses it.
func Nested(start func(*exec.Cmd) error) error {
	var said bytes.Buffer
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), orders{Stage: stageNested}.environment())
	cmd.Stdout = &said
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  unix.CLONE_NEWUSER | unix.CLONE_NEWNET,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Geteuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getegid(), Size: 1}},
	}
	if err := start(cmd); err != nil {
		return explain(err)
	}
	if err := cmd.Wait(); err != nil {
		return fmt.Errorf("try it in a program: %w", err)
	}
	var a answer
	if err := json.Unmarshal(said.Bytes(), &a); err != nil {
		return fmt.Errorf("understand the program that tries it: %w", err)
	}
	if a.Failed != "" {
		return explain(fmt.Errorf("%s: %w", a.Failed, a.Errno))
	}
	return nil
}

// beNested is the program that Nested starts: it sets up the lo of its network namespace, and says what came of it.
func beNested() {
	a := answer{}
	if err := setUp("lo"); err != nil {
		a = failed("set up lo", err)
	}
	reply(os.Stdout, a)
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
