package siege_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// Other descriptors of the caller's shell are out of a scenario's reach: a private file, a directory, a connection.
func TestInheritedDescriptors(t *testing.T) {
	besiege(t, func(c *caller) {
		path := c.precious(filepath.Join(c.home, "secret"), c.secret("a file that the caller has open"), 0o600)
		dir := c.folder(filepath.Join(c.home, "private"), 0o700)
		c.precious(filepath.Join(dir, "secret"), c.secret("a file in a folder that the caller has open"), 0o600)
		c.stays(dir)
		pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
		c.must(err)
		c.Cleanup(func() { unix.Close(pair[0]) })
		socket := os.NewFile(uintptr(pair[1]), "socket")
		defer socket.Close()
		for range 4 { // the harness uses some of the numbers itself
			file, err := os.OpenFile(path, os.O_RDWR, 0)
			c.must(err)
			defer file.Close()
			folder, err := os.Open(dir)
			c.must(err)
			defer folder.Close()
			c.files = append(c.files, file, folder, socket)
		}
		c.repelled(c.play(hostile(attackFrom("descriptors")...)))
		buf := make([]byte, 100)
		if n, err := unix.Read(pair[0], buf); err != unix.EAGAIN {
			c.Errorf("the attack wrote to a connection of the caller: %q, %v", buf[:max(n, 0)], err)
		}
	})
}

// attackDescriptors uses every open descriptor.
func attackDescriptors([]string) {
	for fd := 3; fd < 1024; fd++ {
		var st unix.Stat_t
		if unix.Fstat(fd, &st) != nil {
			continue
		}
		link, _ := os.Readlink(fmt.Sprintf("/proc/self/fd/%d", fd))
		switch st.Mode & unix.S_IFMT {
		case unix.S_IFREG:
			buf := make([]byte, 100)
			n, _ := unix.Pread(fd, buf, 0)
			fmt.Printf("descriptor %d, %s: %s\n", fd, link, buf[:max(n, 0)])
			unix.Pwrite(fd, []byte("spoilt"), 0)
		case unix.S_IFDIR:
			if file, err := unix.Openat(fd, "secret", unix.O_RDWR, 0); err == nil {
				buf := make([]byte, 100)
				n, _ := unix.Read(file, buf)
				fmt.Printf("descriptor %d, %s: %s\n", fd, link, buf[:max(n, 0)])
			}
			unix.Mkdirat(fd, "planted", 0o777)
			unix.Fchdir(fd)
			os.WriteFile("planted too", nil, 0o777)
		case unix.S_IFSOCK, unix.S_IFIFO:
			unix.SetNonblock(fd, true)
			unix.Write(fd, []byte("by a descriptor"))
		}
		if !ownDescriptor(fd, link) {
			brokeThrough("descriptor %d is open: %s", fd, link)
		}
	}
}

// ownDescriptor reports whether a descriptor belongs to the poller of Go's runtime.
func ownDescriptor(fd int, link string) bool {
	flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0)
	return err == nil && flags&unix.FD_CLOEXEC != 0 && strings.HasPrefix(link, "anon_inode:[event")
}

// A token in the caller's environment is visible to no program of a scenario, and is in no report.
func TestEnvironment(t *testing.T) {
	besiege(t, func(c *caller) {
		for _, name := range strings.Fields("SIEGE_TOKEN GITHUB_TOKEN LC_TOKEN NETNSCHECK_TOKEN HTTPS_PROXY GODEBUG") {
			c.env = append(c.env, name+"="+c.secret("what the caller has in his environment as "+name))
		}
		c.repelled(c.play(hostile(append(attackFrom("environment"), "sh -c '"+attackName+" environment'")...), "-v"))
	})
}

func attackEnvironment([]string) {
	tellSecrets("this program", os.Environ())
	for _, pid := range append(visible(), os.Getpid()) {
		environ, _ := os.ReadFile(inProc(pid, "environ"))
		tellSecrets(fmt.Sprintf("process %d", pid), strings.Split(string(environ), "\x00"))
	}
}

// tellSecrets prints the variables that the test has set, and of all others only the names, since they are not the
// test's.
func tellSecrets(who string, environ []string) {
	for _, variable := range environ {
		name, value, _ := strings.Cut(variable, "=")
		if !strings.HasPrefix(value, "secret") {
			value = "..."
		}
		fmt.Printf("%s: %s=%s\n", who, name, value)
	}
}

// The keys in the caller's session keyring and user keyring are out of reach.
func TestKeyrings(t *testing.T) {
	_, err := unix.KeyctlGetKeyringID(unix.KEY_SPEC_SESSION_KEYRING, false)
	if err == unix.ENOSYS || err == unix.EPERM {
		t.Skip("this host has no keyrings:", err)
	}
	besiege(t, func(c *caller) {
		c.stage.Key, c.stage.KeyText = c.name, c.secret("a key of the caller")
		c.repelled(c.play(hostile(attackName + " keys " + c.name)))
	})
}

// attackKeys looks for a key in every keyring, by its name and in the kernel's list: NAME
func attackKeys(args []string) {
	for _, ring := range []int{
		unix.KEY_SPEC_SESSION_KEYRING, unix.KEY_SPEC_USER_KEYRING,
		unix.KEY_SPEC_USER_SESSION_KEYRING, unix.KEY_SPEC_PROCESS_KEYRING,
	} {
		for i := range 3 {
			if id, err := unix.KeyctlSearch(ring, "user", fmt.Sprintf("%s-%d", args[0], i), 0); err == nil {
				readKey(id)
			}
		}
	}
	list, _ := os.ReadFile("/proc/keys")
	for line := range strings.Lines(string(list)) {
		if strings.Contains(line, args[0]) { // its owner may see everywhere that there is a key (docs/sandbox.md)
			fmt.Print("/proc/keys: ", line)
			if id, err := strconv.ParseUint(strings.Fields(line)[0], 16, 32); err == nil {
				readKey(int(int32(id)))
			}
		}
	}
}

func readKey(id int) {
	buf := make([]byte, 200)
	n, err := unix.KeyctlBuffer(unix.KEYCTL_READ, id, buf, 0)
	fmt.Printf("key %d: %s, %v\n", id, buf[:max(0, min(n, len(buf)))], err)
}

// Rights of the caller other than his id are not passed on: groups, capabilities, the umask, the priority.
func TestRights(t *testing.T) {
	besiege(t, func(c *caller) {
		c.stage.Umask = 0
		if c.uid == 0 { // an ordinary user cannot drop his groups (docs/sandbox.md)
			const group = 99999
			c.stage.Groups = []int{group}
			path := filepath.Join(c.over("/var/lib"), "of-a-group")
			c.precious(path, c.secret("a file of a group of the caller"), 0o660)
			c.must(os.Chown(path, 0, group))
		}
		c.repelled(c.play(hostile(attackName + " rights /var/lib/of-a-group")))
	})
}

// attackRights reports the rights of the program: FILE
func attackRights(args []string) {
	attackFiles(args)
	if mask := unix.Umask(0o022); mask != 0o022 {
		brokeThrough("the mask of new files is %03o, the caller's", mask)
	}
	if priority, err := unix.Getpriority(unix.PRIO_PROCESS, 0); err == nil {
		if unix.Setpriority(unix.PRIO_PROCESS, 0, 20-priority-1) == nil {
			brokeThrough("the priority can be raised above the caller's")
		}
	}
	if os.WriteFile("/proc/self/oom_score_adj", []byte("-1000"), 0) == nil {
		brokeThrough("the program can hide from the killer of a machine that is out of memory")
	}
	status, _ := os.ReadFile("/proc/self/status")
	for line := range strings.Lines(string(status)) {
		for _, name := range []string{"CapInh:", "CapAmb:"} {
			if bits, ok := strings.CutPrefix(line, name); ok && strings.Trim(bits, " \t\n0") != "" {
				brokeThrough("%s", line)
			}
		}
	}
}

// A cgroup that belongs to the caller, as systemd delegates it, is out of reach: a write to cgroup.kill would kill
// everything in it.
func TestCgroup(t *testing.T) {
	root := cgroup2()
	if os.Geteuid() != 0 || root == "" {
		t.Skip("only root can make a cgroup for a caller, and there has to be a cgroup2")
	}
	besiege(t, func(c *caller) {
		group := filepath.Join(root, c.name)
		if err := os.Mkdir(group, 0o755); err != nil {
			c.Skip("no cgroup can be made here:", err)
		}
		sub := filepath.Join(group, "bystander")
		c.Cleanup(func() { os.Remove(sub); os.Remove(group) })
		c.must(os.Mkdir(sub, 0o755))
		for _, dir := range []string{group, sub} {
			for _, file := range []string{"", "cgroup.procs", "cgroup.subtree_control", "cgroup.kill"} {
				if _, err := os.Stat(filepath.Join(dir, file)); err == nil {
					c.own(filepath.Join(dir, file))
				}
			}
		}
		bystander := c.bystander()
		c.must(os.WriteFile(filepath.Join(sub, "cgroup.procs"), []byte(strconv.Itoa(bystander.Process.Pid)), 0))
		c.Cleanup(func() { bystander.Process.Kill(); bystander.Wait() })
		c.stage.Cgroup = group
		c.repelled(c.play(hostile("ip netns add ns", attackName+" cgroup "+c.name)))
	})
}

// cgroup2 returns where the unified hierarchy is mounted, "" if nowhere.
func cgroup2() string {
	text, _ := os.ReadFile("/proc/self/mountinfo")
	for line := range strings.Lines(string(text)) {
		if mount, kind, _ := strings.Cut(line, " - "); strings.HasPrefix(kind, "cgroup2 ") {
			return strings.Fields(mount)[4]
		}
	}
	return ""
}

// attackCgroup kills the bystander's cgroup, and moves into it: NAME
func attackCgroup(args []string) {
	dir := room("cgroup")
	onThread(func() {
		told("unshare the cgroup namespace", unix.Unshare(unix.CLONE_FS|unix.CLONE_NEWNS|unix.CLONE_NEWCGROUP))
		told("mount cgroup2", unix.Mount("cgroup2", dir, "cgroup2", 0, ""))
		points := append(mountPoints(), "/sys/fs/cgroup", dir)
		for _, point := range points {
			if !strings.Contains(point, "cgroup") {
				continue
			}
			filepath.WalkDir(point, func(path string, d os.DirEntry, err error) error {
				ours := strings.Contains(path, args[0]) || point == dir
				if err != nil || d.IsDir() || !ours {
					return nil
				}
				switch {
				case d.Name() == "cgroup.kill" && strings.Contains(path, "bystander"):
					os.WriteFile(path, []byte("1"), 0)
				case d.Name() == "cgroup.freeze" && strings.Contains(path, "bystander"):
					os.WriteFile(path, []byte("1"), 0)
				case d.Name() == "cgroup.procs":
					if os.WriteFile(path, []byte("0"), 0) == nil {
						brokeThrough("the program moves to another cgroup by %s", path)
					}
				}
				return nil
			})
		}
	})
}
