package sandbox

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// ForbiddenError is the error if this host allows no sandbox.
type ForbiddenError struct {
	Cause  error  // the kernel's error
	Why    string // the setting that forbids it, if it can be found
	Remedy string // what to do about it
}

func (e *ForbiddenError) Error() string {
	return fmt.Sprintf("%v: %s; %s", e.Cause, e.Why, e.Remedy)
}

func (e *ForbiddenError) Unwrap() error { return e.Cause }

// RootMay reports whether root may have a sandbox.
func (e *ForbiddenError) RootMay() bool { return strings.HasSuffix(e.Remedy, orRoot) }

// ForSandbox is the remedy as it leads to a sandbox of this user.
func (e *ForbiddenError) ForSandbox() string {
	return strings.TrimSuffix(strings.TrimSuffix(e.Remedy, "; "+orRoot), "; "+orOff)
}

// MayPass reports whether a later attempt may succeed: a limit is reached, and other processes may release what they
// hold.
func (e *ForbiddenError) MayPass() bool { return e.Why == limitReached }

const limitReached = "a limit is reached: the number of namespaces (sysctl user.max_*_namespaces) or their depth (32)"

// Possible tries to make a sandbox and what a lab needs in it. missing are the walls that it would lack. The error
// wraps a *ForbiddenError if the host refuses.
func Possible() (missing []Lack, err error) {
	if Inside() {
		return nil, nil
	}
	go theLauncher(true) // the workers' launcher: its control group takes time
	p, err := Start(context.Background(), Command{Args: os.Args[:1], trial: true})
	if err != nil {
		return nil, err
	}
	missing = p.missing
	if theLauncher(true).group == nil {
		missing = append(missing, Lack{WallMemory, "no control group can be made here"})
	}
	return missing, nil // no need to wait for its end: it dies with this process at the latest
}

// explain turns a refusal of the kernel into a *ForbiddenError. Any other error is returned unchanged.
func explain(err error) error {
	refusals := []error{unix.EPERM, unix.EACCES, unix.ENOSPC, unix.EUSERS, unix.EINVAL, unix.ENOSYS}
	for _, refusal := range refusals {
		if errors.Is(err, refusal) {
			why, remedy := reason(refusal)
			return &ForbiddenError{Cause: err, Why: why, Remedy: remedy}
		}
	}
	return err
}

// setting is a sysctl that forbids namespaces if it has the value forbids; rootToo is true if that holds for root.
type setting struct {
	path, forbids string
	rootToo       bool
	remedy        string
}

var settings = []setting{
	{"/proc/sys/user/max_user_namespaces", "0", true, "as root: sysctl -w user.max_user_namespaces=16384"},
	{"/proc/sys/user/max_pid_namespaces", "0", true, "as root: sysctl -w user.max_pid_namespaces=16384"},
	{"/proc/sys/user/max_mnt_namespaces", "0", true, "as root: sysctl -w user.max_mnt_namespaces=16384"},
	{"/proc/sys/user/max_ipc_namespaces", "0", true, "as root: sysctl -w user.max_ipc_namespaces=16384"},
	{"/proc/sys/user/max_uts_namespaces", "0", true, "as root: sysctl -w user.max_uts_namespaces=16384"},
	{"/proc/sys/user/max_net_namespaces", "0", true, "as root: sysctl -w user.max_net_namespaces=16384"},
	{"/proc/sys/kernel/unprivileged_userns_clone", "0", false,
		"as root: sysctl -w kernel.unprivileged_userns_clone=1"},
	{"/proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1", false,
		"as root: sysctl -w kernel.apparmor_restrict_unprivileged_userns=0, or give the program an AppArmor profile " +
			"with the rule `userns,`"},
}

// orRoot is the last resort in a remedy, and orOff the one where root has no sandbox, either.
const (
	orRoot = "or run it as root, there also with --sandbox=off"
	orOff  = "or run it as root with --sandbox=off"
)

// reason returns the setting that forbids namespaces and what to do about it.
func reason(refusal error) (why, remedy string) {
	root := os.Geteuid() == 0
	if _, err := os.Stat("/proc/self/ns/user"); err != nil {
		return "this kernel has no user namespaces (CONFIG_USER_NS)",
			"use another kernel (in WSL, version 2: wsl --set-version); " + orOff
	}
	for _, s := range settings {
		value, err := os.ReadFile(s.path)
		if err == nil && strings.TrimSpace(string(value)) == s.forbids && (s.rootToo || !root) {
			last := orRoot
			if s.rootToo {
				last = orOff
			}
			return nameOf(s.path) + " is " + s.forbids, s.remedy + "; " + last
		}
	}
	switch {
	case refusal == unix.ENOSPC || refusal == unix.EUSERS:
		return limitReached, "raise it, or end what has taken them"
	case inChroot():
		return "this process is in a chroot, where the kernel gives no user namespaces", "run it outside the chroot; " +
			orOff
	case status("Seccomp") == "2":
		return "a seccomp filter (of a container, or of systemd's RestrictNamespaces=) refuses the call",
			"start the container with --privileged, or with --security-opt seccomp=unconfined --security-opt " +
				"systempaths=unconfined --cap-add SYS_ADMIN" // the filter binds root, too
	case root && !hasCapabilities(unix.CAP_SETUID, unix.CAP_SETGID):
		return "root here has neither CAP_SETUID nor CAP_SETGID",
			"give it these capabilities, or start it as an ordinary user"
	}
	return "the kernel refuses it, and no setting that is known says why (a security module, or a chroot?)",
		"look at the kernel's log; " + orRoot
}

// nameOf returns the name that sysctl(8) uses for a file below /proc/sys.
func nameOf(path string) string {
	return strings.ReplaceAll(strings.TrimPrefix(path, "/proc/sys/"), "/", ".")
}

// inChroot reports whether this process is in a chroot: then no mount in mountinfo is at /.
func inChroot() bool {
	file, err := os.Open("/proc/self/mountinfo")
	if err != nil {
		return false
	}
	defer file.Close()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		if fields := strings.Fields(lines.Text()); len(fields) > 4 && fields[4] == "/" {
			return false
		}
	}
	return true
}

// status returns a field of /proc/self/status, "" if there is none.
func status(field string) string {
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(text)) {
		if name, value, ok := strings.Cut(line, ":"); ok && name == field {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// hasCapabilities reports whether this process has all these capabilities in its effective set.
func hasCapabilities(wanted ...int) bool {
	var bits uint64
	if _, err := fmt.Sscanf(status("CapEff"), "%x", &bits); err != nil {
		return false
	}
	for _, c := range wanted {
		if bits&(1<<c) == 0 {
			return false
		}
	}
	return true
}
