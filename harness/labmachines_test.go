package main_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"netnscheck/harness/internal/labtest"
	"netnscheck/harness/internal/program"
	"netnscheck/harness/internal/sandbox"
	"netnscheck/harness/term"
)

// kernelSettings puts files into /proc/sys/kernel that this kernel does not have, in a mount namespace of its own.
func kernelSettings(set map[string]string) string {
	script := "release=$(cat /proc/sys/kernel/osrelease); mount -t tmpfs none /proc/sys/kernel; " +
		"echo $release >/proc/sys/kernel/osrelease"
	for name, value := range set {
		script += "; echo " + value + " >/proc/sys/kernel/" + name
	}
	return script
}

// through runs a command behind others: in namespaces that unshare(1) makes, prepared by a shell, which then starts it
// with further words before it.
func through(t *testing.T, cmd *exec.Cmd, prepare string, before ...string) *exec.Cmd {
	t.Helper()
	needPrograms(t, "unshare", "sh", "-ec", prepare)
	path, err := program.LookPath("unshare")
	if err != nil {
		t.Fatal(err)
	}
	args := append([]string{"unshare"}, ownMounts()...)
	if err := exec.Command(path, append(ownMounts(), "true")...).Run(); err != nil {
		sandbox.Lacking(t, "a mount namespace: "+err.Error())
	}
	args = append(args, "sh", "-ec", prepare+`; exec `+strings.Join(before, " ")+` "$0" "$@"`, cmd.Path)
	cmd.Path, cmd.Args = path, append(args, cmd.Args[1:]...)
	return cmd
}

// asOrdinaryUser are the words that make root an ordinary user, in whatever user namespace he is.
var asOrdinaryUser = []string{"unshare", "-U", "--map-user=1000", "--map-group=1000", "--"}

// screenOf is what a command shows on a terminal of 80 columns, and its exit status.
func screenOf(t *testing.T, cmd *exec.Cmd) (string, int) {
	t.Helper()
	cmd.Env = append(cmd.Environ(), "TERM=xterm", "LC_ALL=C.UTF-8", "NO_COLOR=1")
	l := &learner{TB: t, more: make(chan struct{})}
	l.begins(cmd, os.Geteuid())
	status := l.ends()
	<-l.over
	return strings.ReplaceAll(l.all(), "\r\n", "\n"), status
}

// TestDoctorWhereLabsAreForbidden: on machines that forbid user namespaces, in each of the ways of Ubuntu, Debian, Red
// Hat and containers, one screen says what forbids a lab and what to do about it, and nothing that would not help.
func TestDoctorWhereLabsAreForbidden(t *testing.T) {
	needSandbox(t)
	noNamespace := func(e syscall.Errno) limits {
		return limits{Deny: []denial{{Call: unix.SYS_CLONE, With: unix.CLONE_NEWUSER, Errno: e},
			{Call: unix.SYS_UNSHARE, With: unix.CLONE_NEWUSER, Errno: e}}}
	}
	for name, c := range map[string]struct {
		limits    limits
		prepare   string
		before    []string
		says, not []string
	}{
		"Ubuntu's AppArmor": {
			limits:  noNamespace(unix.EACCES),
			prepare: kernelSettings(map[string]string{"apparmor_restrict_unprivileged_userns": "1"}),
			before:  asOrdinaryUser,
			says: []string{"permission denied: kernel.apparmor_restrict_unprivileged_userns is 1",
				"as root: sysctl -w kernel.apparmor_restrict_unprivileged_userns=0, or give the program an AppArmor " +
					"profile with the rule `userns,`; or start the lab with sudo"},
			not: []string{"seccomp"},
		},
		"Debian's sysctl": {
			limits:  noNamespace(unix.EPERM),
			prepare: kernelSettings(map[string]string{"unprivileged_userns_clone": "0"}),
			before:  asOrdinaryUser,
			says: []string{"kernel.unprivileged_userns_clone is 0",
				"as root: sysctl -w kernel.unprivileged_userns_clone=1; or start the lab with sudo"},
			not: []string{"seccomp"},
		},
		"settings that forbid nothing": {
			limits: noNamespace(unix.EPERM),
			prepare: kernelSettings(map[string]string{"unprivileged_userns_clone": "1",
				"apparmor_restrict_unprivileged_userns": "0"}),
			before: asOrdinaryUser,
			says:   []string{"a seccomp filter"},
			not:    []string{"sysctl -w"},
		},
		"no user namespaces": {
			prepare: "true",
			before: append(asOrdinaryUser[:len(asOrdinaryUser)-1:len(asOrdinaryUser)-1], "--keep-caps", "--", "sh",
				"-ec",
				`'echo 0 >/proc/sys/user/max_user_namespaces; exec "$0" "$@"'`),
			says: []string{"user.max_user_namespaces is 0", "as root: sysctl -w user.max_user_namespaces=16384"},
			not:  []string{"sudo"},
		},
		"a kernel without user namespaces": {
			limits: noNamespace(unix.EINVAL), prepare: "mount -t tmpfs none /proc/$$/ns", before: asOrdinaryUser,
			says: []string{"this kernel has no user namespaces (CONFIG_USER_NS)", "use another kernel"},
			not:  []string{"sudo"},
		},
		"a container": {
			limits: noNamespace(unix.EPERM), prepare: "true", before: asOrdinaryUser,
			says: []string{"a seccomp filter (of a container, or of systemd's RestrictNamespaces=) refuses the call",
				"start the container with --privileged, or with --security-opt seccomp=unconfined"},
			not: []string{"sudo"},
		},
		"root in a container": {
			limits: noNamespace(unix.EPERM), prepare: "true",
			says: []string{"a seccomp filter", "start the container with --privileged"},
			not:  []string{"sudo"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, id := range []string{"veth-pair", "nat"} {
				cmd := limit(t, command(t, t.TempDir(), "doctor", "--lab", id), c.limits)
				cmd.Env = append(cmd.Environ(), "XDG_STATE_HOME=/tmp") // nothing is made there
				text, status := screenOf(t, through(t, cmd, c.prepare, c.before...))
				forbidden(t, text, status, c.says, c.not)
			}
		})
	}
	t.Run("a chroot", func(t *testing.T) {
		t.Parallel()
		needPrograms(t, "chroot")
		root := t.TempDir()
		cmd := command(t, root, "doctor", "--lab", "veth-pair")
		build := "cd " + root + "; mkdir usr proc dev tmp; for d in bin sbin lib lib64; do " +
			"[ ! -e /$d ] || ln -s usr/$d $d; done; mount --rbind /usr usr; mount --rbind /proc proc; " +
			"mount --rbind /dev dev; touch harness; mount --bind " + cmd.Path + " harness"
		cmd.Path = "/harness"
		text, status := screenOf(t, through(t, cmd, build, "chroot", root))
		forbidden(t, text, status, []string{"this process is in a chroot, where the kernel gives no user namespaces",
			"run it outside the chroot"}, []string{"sudo"})
	})
}

// forbidden checks the screen of a machine that cannot do a lab.
func forbidden(t *testing.T, text string, status int, says, not []string) {
	t.Helper()
	if status != 3 || !strings.Contains(text, "as it is.") {
		t.Errorf("status %d", status)
	}
	whole := strings.Join(strings.Fields(text), " ") // as if no line was broken
	for _, want := range append(says, "✗ sandbox") {
		if !strings.Contains(whole, want) {
			t.Errorf("it does not say %q", want)
		}
	}
	for _, wrong := range append(not, "--sandbox=off") {
		if strings.Contains(whole, wrong) {
			t.Errorf("it says %q, which does not help", wrong)
		}
	}
	rows := 0
	for line := range strings.Lines(text) {
		rows++
		if n := term.Width(strings.TrimSuffix(line, "\n")); n > 80 {
			t.Errorf("%d columns: %s", n, line)
		}
	}
	if rows > 23 { // and the prompt
		t.Errorf("it has %d rows", rows)
	}
	if t.Failed() {
		t.Log(text)
	}
}

// TestLabWithSudo: with sudo a lab works as the calling user. He has his progress with and without it, and reaches the
// lab from another terminal either way.
func TestLabWithSudo(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can be what sudo makes of a user")
	}
	needSandbox(t)
	needPrograms(t, "ip")
	needPrograms(t, "bash")
	needPrograms(t, "setpriv")
	home, passwd := t.TempDir(), filepath.Join(t.TempDir(), "passwd")
	if err := os.WriteFile(passwd, []byte("root:x:0:0::/root:/bin/sh\nlearner:x:31337:31337::"+home+":/bin/bash\n"),
		0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(home, labtest.OrdinaryUser, labtest.OrdinaryUser); err != nil {
		t.Fatal(err)
	}
	openTo(t, home)
	sits := func(sudo bool, args ...string) *learner {
		l := &learner{TB: t, more: make(chan struct{})}
		l.cmd = command(t, home, args...)
		l.cmd.Env = append(os.Environ(), "XDG_STATE_HOME=", "XDG_RUNTIME_DIR=", "TERM=xterm", "SHELL=/bin/bash",
			"LC_ALL=C.UTF-8", "NO_COLOR=1")
		as := []string{"setpriv", "--reuid=31337", "--regid=31337", "--clear-groups"}
		if sudo { // sudo(8), with the settings of most distributions
			l.cmd.Env = append(l.cmd.Env, "HOME=/root", "SUDO_UID=31337", "SUDO_GID=31337", "SUDO_USER=learner")
			as = nil
		} else {
			l.cmd.Env = append(l.cmd.Env, "HOME="+home)
		}
		l.begins(through(t, l.cmd, "mount --bind "+passwd+" /etc/passwd", as...), os.Geteuid())
		return l
	}
	l := sits(true, "lab", "start", "veth-pair")
	l.expects(prompt)
	l.says("ip netns add testns; ip netns add prodns", `step 1 of 7: .* is done`)
	l.expects(prompt)
	for _, sudo := range []bool{true, false} {
		other := sits(sudo, "lab", "check")
		other.expects(`✓ namespace .prodns. exists`)
		if status := other.ends(); status != 0 {
			t.Errorf("lab check with sudo %t: status %d", sudo, status)
		}
	}
	l.types("exit\n")
	l.expects(`1 of 7 steps of .* are done`)
	l.ends()
	own := sits(false, "lab", "start", "veth-pair")
	own.expects(`Step 2 of 7`)
	own.expects(prompt)
	own.types("exit\n")
	if status := own.ends(); status != 0 {
		t.Errorf("without sudo: status %d", status)
	}
	filepath.Walk(filepath.Join(home, ".local"), func(path string, info os.FileInfo, err error) error {
		if err != nil || info.Sys().(*syscall.Stat_t).Uid != labtest.OrdinaryUser {
			t.Errorf("%s is not the user's: %v", path, err)
		}
		return nil
	})
	if _, err := os.Lstat("/root/.local/state/netnscheck"); err == nil && !hadRootState {
		t.Error("there is progress of root")
	}
}

// hadRootState is set if root has a state folder of his own.
var hadRootState = func() bool { _, err := os.Lstat("/root/.local/state/netnscheck"); return err == nil }()
