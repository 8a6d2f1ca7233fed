package siege_test

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"netnscheck/harness/scenario"

	"golang.org/x/sys/unix"
)

// Root of a sandbox may mount, but can neither remove nor bypass a wall that is made of mounts.
func TestMounts(t *testing.T) {
	for _, way := range waysOfMounts {
		t.Run(way.name, func(t *testing.T) {
			besiege(t, func(c *caller) {
				args := append([]string{"env", "SIEGE_NAME=" + c.name, attackName, "mounts", way.name}, c.surround()...)
				o := c.play(hostile("ip netns add ns", strings.Join(args, " ")))
				c.carriedOut(o)
				c.intact(o)
				// It may have hidden the lab's own files, and then its own section fails, but must not be skipped.
				if section := o.of("hostile", "Attack"); section != nil && section.Outcome == scenario.Skip {
					c.Errorf("the attack's own section ended as skip: %s", section.Reason)
				}
			})
		})
	}
}

// waysOfMounts change the mounts and return the paths below which the host's files may be found now.
var waysOfMounts = []struct {
	name string
	do   func() (prefixes []string)
}{
	{"remount", remountWritable},
	{"unmount", unmountAll},
	{"bind", bindRoots},
	{"move", moveMounts},
	{"clone", cloneTrees},
	{"pivot", pivotRoot},
	{"chroot", leaveChroot},
	{"overlay", overlayRoot},
	{"fresh", freshFileSystems},
}

// attackMounts goes one way, in mounts of its own and in those of the lab, and then tampers with files: WAY PATH…
func attackMounts(args []string) {
	i := slices.IndexFunc(waysOfMounts, func(w struct {
		name string
		do   func() []string
	}) bool {
		return w.name == args[0]
	})
	for _, flags := range []int{unix.CLONE_FS | unix.CLONE_NEWNS, unix.CLONE_FS} {
		onThread(func() {
			if err := unix.Unshare(flags); err != nil {
				fmt.Println("unshare:", err)
			}
			for _, prefix := range append(waysOfMounts[i].do(), "") {
				for _, path := range args[1:] {
					attackFiles([]string{prefix + path})
				}
			}
		})
	}
}

// mountPoints returns the mount points of the calling thread, oldest first.
func mountPoints() (points []string) {
	file, err := os.Open("/proc/thread-self/mountinfo")
	if err != nil {
		return nil
	}
	defer file.Close()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		if fields := strings.Fields(lines.Text()); len(fields) > 4 {
			points = append(points, fields[4])
		}
	}
	return points
}

// room makes an empty directory for a mount.
func room(name string) string {
	for _, dir := range []string{"/tmp", "/run", "/dev/shm"} {
		path := filepath.Join(dir, fmt.Sprintf("%s-%d", name, unix.Gettid()))
		if err := os.Mkdir(path, 0o755); err == nil || os.IsExist(err) {
			return path
		}
	}
	return "/mnt"
}

// told prints the result of a call, to help when a wall falls. The number of lines is limited: a command's output is
// cut, and the test waits for its end.
func told(what string, err error) {
	if toldSoFar.Add(1) <= 60 {
		fmt.Printf("%.80s: %.80v\n", what, err)
	}
}

var toldSoFar atomic.Int32

func remountWritable() []string {
	for _, point := range mountPoints() {
		if err := unix.Mount("", point, "", unix.MS_REMOUNT|unix.MS_BIND, ""); err != nil {
			told("remount "+point, err)
		}
	}
	for _, recursive := range []uint{0, unix.AT_RECURSIVE} {
		writable := unix.MountAttr{Attr_clr: unix.MOUNT_ATTR_RDONLY | unix.MOUNT_ATTR_NODEV | unix.MOUNT_ATTR_NOSUID}
		told("mount_setattr", unix.MountSetattr(unix.AT_FDCWD, "/", recursive, &writable))
	}
	return nil
}

func unmountAll() []string {
	points := mountPoints()
	slices.Reverse(points)
	for _, point := range points {
		if point == "/" || point == "/proc" { // the attacker still needs these
			continue
		}
		for unix.Unmount(point, unix.MNT_DETACH|unix.UMOUNT_NOFOLLOW) == nil {
			fmt.Println("unmounted", point)
		}
	}
	return nil
}

func bindRoots() (prefixes []string) {
	roots := []string{"/"}
	for _, pid := range visible() {
		roots = append(roots, inProc(pid, "root"), inProc(pid, "cwd"))
	}
	for i, root := range roots {
		for _, flags := range []uintptr{unix.MS_BIND, unix.MS_BIND | unix.MS_REC} {
			dir := room("bind" + strconv.Itoa(i) + strconv.Itoa(int(flags)))
			if err := unix.Mount(root, dir, "", flags, ""); err != nil {
				told("bind "+root, err)
				continue
			}
			unix.Mount("", dir, "", unix.MS_REMOUNT|unix.MS_BIND, "")
			prefixes = append(prefixes, dir, dir+"/../../../../..")
		}
	}
	return prefixes
}

func moveMounts() (prefixes []string) {
	for i, point := range mountPoints() {
		if point == "/" || strings.HasPrefix(point, "/proc") {
			continue
		}
		dir := room("move" + strconv.Itoa(i))
		if unix.Mount(point, dir, "", unix.MS_MOVE, "") == nil {
			told("move "+point, nil)
			prefixes = append(prefixes, dir)
		}
	}
	return prefixes
}

func cloneTrees() (prefixes []string) {
	dirs := []string{"/", "/tmp", os.Getenv("HOME"), "/proc/1/root"}
	for i, dir := range dirs {
		for _, recursive := range []uint{0, unix.AT_RECURSIVE} {
			fd, err := unix.OpenTree(unix.AT_FDCWD, dir, recursive|unix.OPEN_TREE_CLONE)
			if err != nil {
				told("open_tree "+dir, err)
				continue
			}
			unix.MountSetattr(fd, "", unix.AT_EMPTY_PATH|recursive, &unix.MountAttr{Attr_clr: unix.MOUNT_ATTR_RDONLY})
			at := room("clone" + strconv.Itoa(i) + strconv.Itoa(int(recursive)))
			told("move_mount "+dir, unix.MoveMount(fd, "", unix.AT_FDCWD, at, unix.MOVE_MOUNT_F_EMPTY_PATH))
			prefixes = append(prefixes, fmt.Sprintf("/proc/self/fd/%d", fd), at)
		}
	}
	return prefixes
}

func pivotRoot() []string {
	dir := room("pivot")
	old := filepath.Join(dir, "old")
	err := unix.Mount("tmpfs", dir, "tmpfs", 0, "")
	if err == nil {
		err = os.Mkdir(old, 0o755)
	}
	if err == nil {
		err = unix.PivotRoot(dir, old)
	}
	if err != nil {
		told("pivot_root", err)
		return nil
	}
	return []string{"/old", "/old/..", "/.."}
}

// leaveChroot is the classic escape: a directory that stays open outside the new root.
func leaveChroot() []string {
	outside, err := unix.Open("/", unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil
	}
	told("chroot", unix.Chroot(room("chroot")))
	unix.Fchdir(outside)
	for range 64 {
		unix.Chdir("..")
	}
	told("chroot .", unix.Chroot("."))
	return []string{fmt.Sprintf("/proc/self/fd/%d/../..", outside), "/.."}
}

func overlayRoot() []string {
	dir := room("overlay")
	told("a tmpfs for the overlays", unix.Mount("tmpfs", dir, "tmpfs", 0, ""))
	for i, lower := range []string{"/opt", "/srv", "/var", "/usr", "/home", "/root", "/proc/1/root/opt"} {
		merged := filepath.Join(dir, lower)
		told(merged, os.MkdirAll(merged, 0o755))
		upper, work := fmt.Sprintf("%s/upper%d", dir, i), fmt.Sprintf("%s/work%d", dir, i)
		os.Mkdir(upper, 0o755)
		os.Mkdir(work, 0o755)
		options := fmt.Sprintf("lowerdir=%s,upperdir=%s,workdir=%s,userxattr", lower, upper, work)
		told("overlay on "+lower, unix.Mount("overlay", merged, "overlay", 0, options))
	}
	return []string{dir}
}

// freshFileSystems mounts the file systems with kernel settings anew, without what hides them, and opens the host's
// settings in them.
func freshFileSystems() []string {
	for kind, settings := range map[string][]string{
		"proc": {
			"sys/kernel/core_pattern", "sysrq-trigger", "sys/vm/drop_caches", "sys/kernel/modprobe", "sys/fs/file-max",
			"kcore", "kmsg",
		},
		"sysfs":      {"kernel/uevent_helper", "power/state", "kernel/mm/transparent_hugepage/enabled"},
		"debugfs":    {"."},
		"tracefs":    {"."},
		"securityfs": {"."},
		"devtmpfs":   {"null", "kmsg", "vda", "sda"},
		"cgroup2":    {"cgroup.procs", "cgroup.kill"},
	} {
		dirs := []string{"/proc", "/sys"}
		dir := room(kind)
		if err := unix.Mount(kind, dir, kind, 0, ""); err == nil {
			dirs = append(dirs, dir)
		} else if fd, err := unix.Fsopen(kind, 0); err == nil {
			told("fsopen "+kind, unix.FsconfigCreate(fd))
			if mount, err := unix.Fsmount(fd, 0, 0); err == nil {
				dirs = append(dirs, fmt.Sprintf("/proc/self/fd/%d", mount))
			}
		}
		for _, base := range dirs {
			for _, setting := range settings {
				openForWriting(filepath.Join(base, setting), kind)
			}
		}
	}
	return nil
}

// openForWriting opens a file for writing and writes nothing.
func openForWriting(path, kind string) {
	flags := unix.O_WRONLY
	if strings.HasSuffix(path, "kcore") || strings.HasSuffix(path, "kmsg") {
		flags = unix.O_RDONLY
	}
	fd, err := unix.Open(path, flags|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return
	}
	unix.Close(fd)
	brokeThrough("%s (%s) can be opened for writing", path, kind)
}
