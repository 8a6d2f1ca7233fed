package siege_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"runtime"
	"slices"
	"syscall"

	"golang.org/x/sys/unix"
)

// stage is what a process sets up before it executes the harness: the environment in which a caller starts it.
type stage struct {
	// Binds are directories that are mounted over others, target to source, in a mount namespace of the stage's own.
	Binds map[string]string
	// UID is the user who starts the harness, -1 for the user who runs the tests. Groups are the supplementary groups.
	UID    int
	Groups []int
	Umask  int
	// Key is put into the session keyring, and as an ordinary user into the user's as well, for a few minutes. KeyText
	// is its secret.
	Key, KeyText string
	// Cgroup is the directory of a cgroup that the process enters.
	Cgroup string
}

// beStage reads the stage from the first argument, sets it, and executes the others.
func beStage() {
	runtime.LockOSThread() // a session keyring belongs to a thread, and execve(2) keeps that of the calling thread
	var s stage
	err := json.Unmarshal([]byte(os.Args[1]), &s)
	if err == nil {
		err = s.set()
	}
	if err == nil {
		err = syscall.Exec(os.Args[2], os.Args[2:], os.Environ())
	}
	fmt.Fprintln(os.Stderr, stageName+":", err)
	os.Exit(125)
}

func (s stage) set() error {
	for _, target := range slices.Sorted(maps.Keys(s.Binds)) {
		if err := unix.Mount(s.Binds[target], target, "", unix.MS_BIND|unix.MS_REC, ""); err != nil {
			return fmt.Errorf("bind %s over %s: %w", s.Binds[target], target, err)
		}
	}
	if s.Cgroup != "" {
		if err := os.WriteFile(s.Cgroup+"/cgroup.procs", []byte("0"), 0o644); err != nil {
			return fmt.Errorf("enter the cgroup: %w", err)
		}
	}
	syscall.Umask(s.Umask)
	if s.UID >= 0 {
		if err := syscall.Setgroups(s.Groups); err != nil {
			return fmt.Errorf("set the groups: %w", err)
		}
		if err := syscall.Setgid(s.UID); err != nil {
			return fmt.Errorf("become the group %d: %w", s.UID, err)
		}
		if err := syscall.Setuid(s.UID); err != nil {
			return fmt.Errorf("become the user %d: %w", s.UID, err)
		}
	}
	if err := unix.Prctl(unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0); err != nil {
		return fmt.Errorf("drop the capabilities: %w", err)
	}
	if s.Key != "" {
		return s.addKeys()
	}
	return nil
}

// keySeconds is how long a key lives if it is not removed.
const keySeconds = 300

func (s stage) addKeys() error {
	if _, err := unix.KeyctlJoinSessionKeyring("netnscheck-siege"); err != nil {
		return fmt.Errorf("join a session keyring: %w", err)
	}
	rings := []int{unix.KEY_SPEC_SESSION_KEYRING}
	if os.Getuid() != 0 { // the keyrings of the host's root are left alone
		users := []int{unix.KEY_SPEC_USER_KEYRING, unix.KEY_SPEC_USER_SESSION_KEYRING}
		for _, ring := range users { // as pam_keyinit(8) does: only keys linked to the session may get a timeout
			if _, err := unix.KeyctlInt(unix.KEYCTL_LINK, ring, unix.KEY_SPEC_SESSION_KEYRING, 0, 0); err != nil {
				return fmt.Errorf("link a keyring of the user: %w", err)
			}
		}
		rings = append(rings, users...)
	}
	for i, ring := range rings {
		id, err := unix.AddKey("user", fmt.Sprintf("%s-%d", s.Key, i), []byte(s.KeyText), ring)
		if err != nil {
			return fmt.Errorf("add a key: %w", err)
		}
		if _, err := unix.KeyctlInt(unix.KEYCTL_SET_TIMEOUT, id, keySeconds, 0, 0); err != nil {
			return fmt.Errorf("limit the life of a key: %w", err)
		}
	}
	return nil
}
