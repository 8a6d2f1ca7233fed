// Package kernel reports what this machine is and can do: the release of its kernel, features (by trying them),
// programs and their versions, privilege, limits. It may be imported by the command line, by lab and by the other
// packages under internal; of this project it imports scenario and internal/{netns,program,sandbox}. It tries a feature
// only on demand and only in namespaces of its own, and never changes settings. It loads no modules, but a trial may
// make the kernel load one.
package kernel

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"netnscheck/harness/internal/program"
	"netnscheck/harness/internal/sandbox"
)

// uname is the result of uname(2).
var uname = sync.OnceValue(func() (u unix.Utsname) {
	unix.Uname(&u) // fails only for a bad pointer
	return u
})

// Release is the release of the running kernel, as `uname -r` prints it.
func Release() string { u := uname(); return unix.ByteSliceToString(u.Release[:]) }

// Arch is the architecture of the machine, as `uname -m` prints it.
func Arch() string { u := uname(); return unix.ByteSliceToString(u.Machine[:]) }

// LookPath finds a program in PATH and in the system directories that an ordinary user's PATH may lack. The error is an
// *exec.Error with exec.ErrNotFound.
func LookPath(name string) (string, error) { return program.LookPath(name) }

// IPRoute2 is the version of iproute2, such as "6.1.0"; "" if `ip` is missing or is not iproute2 but busybox.
var IPRoute2 = sync.OnceValue(func() string {
	return version(`iproute2-(?:ss)?(\S+?)(?:,|\s|$)`, "ip", "-V")
})

// Busybox is the version of busybox, such as "1.35.0"; "" if it is missing.
var Busybox = sync.OnceValue(func() string { return version(`BusyBox v(\S+)`, "busybox") })

// Ping is the name and version of the ping implementation, such as "iputils 20221126" or "inetutils 2.4"; "" if ping is
// missing, "unknown" if it does not report them.
var Ping = sync.OnceValue(func() string {
	if _, err := LookPath("ping"); err != nil {
		return ""
	}
	for _, p := range []struct{ name, pattern string }{
		{"iputils", `iputils[ -]s?(\S+)`},
		{"inetutils", `inetutils\)? (\S+)`},
		{"busybox", `BusyBox v(\S+)`},
	} {
		if v := version(p.pattern, "ping", "-V"); v != "" {
			return p.name + " " + v
		}
	}
	return "unknown"
})

// version runs a program that prints its version, and returns the match of the pattern's group.
func version(pattern string, argv ...string) string {
	path, err := LookPath(argv[0])
	if err != nil {
		return ""
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, path, argv[1:]...)
	cmd.Env = append(os.Environ(), "LC_ALL=C")
	cmd.WaitDelay = time.Second
	output, _ := cmd.CombinedOutput() // some exit with a status other than 0
	if found := regexp.MustCompile(pattern).FindStringSubmatch(string(output)); found != nil {
		return found[1]
	}
	return ""
}

// wanted are the capabilities that labs need outside a sandbox.
var wanted = []struct {
	number int
	name   string
}{
	{unix.CAP_SYS_ADMIN, "CAP_SYS_ADMIN"}, {unix.CAP_NET_ADMIN, "CAP_NET_ADMIN"}, {unix.CAP_NET_RAW, "CAP_NET_RAW"},
}

// Privilege describes the privilege of this process: "root", "root without CAP_NET_RAW", "user 1000", "root, in a
// sandbox".
func Privilege() string {
	if facts, ok := sandbox.Current(); ok {
		return facts.Privilege() + ", in a sandbox"
	}
	has, err := effective()
	if err != nil {
		return fmt.Sprintf("user %d, capabilities unknown", os.Geteuid())
	}
	var with, without []string
	for _, c := range wanted {
		if has&(1<<c.number) != 0 {
			with = append(with, c.name)
		} else {
			without = append(without, c.name)
		}
	}
	switch root := os.Geteuid() == 0; {
	case root && len(without) == 0:
		return "root"
	case root:
		return "root without " + strings.Join(without, ", ")
	case len(with) > 0:
		return fmt.Sprintf("user %d with %s", os.Geteuid(), strings.Join(with, ", "))
	}
	return fmt.Sprintf("user %d", os.Geteuid())
}

// effective is the set of capabilities of this thread.
func effective() (uint64, error) {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	if err := unix.Capget(&header, &data[0]); err != nil {
		return 0, fmt.Errorf("read the capabilities: %w", err)
	}
	return uint64(data[0].Effective) | uint64(data[1].Effective)<<32, nil
}
