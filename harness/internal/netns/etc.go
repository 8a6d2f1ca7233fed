package netns

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// etcRoom is where what the lab writes to /etc is kept, or the copy of /etc. Programs find nothing else there.
const etcRoom = "/run/.etc"

// etcSize is how much a copy of /etc may take, and how many files it may have: that is memory, once for each lab.
const etcSize = "size=32m,nr_inodes=16384"

// ownEtc gives the calling thread's mount namespace an /etc that takes the lab's writes, and hides the host's
// /etc/netns. It is an overlay, or a copy where the kernel refuses one: before Linux 5.11 in a user namespace, and
// always if /etc is already an overlay on another one.
func ownEtc() error {
	if refused := overlayEtc(); refused != nil {
		if err := copyEtc(); err != nil {
			return fmt.Errorf("%w; copy it instead: %w", refused, err)
		}
	}
	if _, err := os.Stat("/etc/netns"); err == nil {
		if err := unix.Mount("tmpfs", "/etc/netns", "tmpfs", unix.MS_NOSUID|unix.MS_NODEV, "mode=0755"); err != nil {
			return fmt.Errorf("mount /etc/netns: %w", err)
		}
	}
	return plainFile("/etc/resolv.conf")
}

// overlayEtc mounts an overlay on /etc.
func overlayEtc() error {
	for _, dir := range []string{etcRoom, etcRoom + "/upper", etcRoom + "/work"} {
		if err := unix.Mkdir(dir, 0o755); err != nil {
			return fmt.Errorf("make %s: %w", dir, err)
		}
	}
	options := "lowerdir=/etc,upperdir=" + etcRoom + "/upper,workdir=" + etcRoom + "/work"
	if err := unix.Mount("overlay", "/etc", "overlay", 0, options+",userxattr"); err != nil {
		os.RemoveAll(etcRoom)
		return fmt.Errorf("mount an overlay on /etc: %w", err)
	}
	return nil
}

// copyEtc mounts a copy of /etc on it. It is made in a file system of its own first, so that nobody sees half of it.
func copyEtc() error {
	if err := unix.Mkdir(etcRoom, 0o755); err != nil {
		return fmt.Errorf("make %s: %w", etcRoom, err)
	}
	defer os.Remove(etcRoom)
	if err := unix.Mount("tmpfs", etcRoom, "tmpfs", unix.MS_NOSUID|unix.MS_NODEV, "mode=0755,"+etcSize); err != nil {
		return fmt.Errorf("mount %s: %w", etcRoom, err)
	}
	err := copyTree("/etc", etcRoom)
	if err == nil {
		err = unix.Mount(etcRoom, "/etc", "", unix.MS_MOVE, "")
	}
	if err != nil {
		return errors.Join(err, unix.Unmount(etcRoom, unix.MNT_DETACH))
	}
	return nil
}

// copyTree copies what is in a folder: regular files, folders, and symbolic links as they are, with their modes, and
// with their owners as far as this user namespace has them. It leaves out what the caller may not read, sockets, FIFOs
// and devices, and the folder /etc/netns, of which the lab has its own.
func copyTree(from, to string) error {
	return filepath.WalkDir(from, func(path string, e fs.DirEntry, err error) error {
		unreadable := errors.Is(err, fs.ErrPermission) || errors.Is(err, fs.ErrNotExist) // or just gone
		switch {
		case unreadable && e != nil && e.IsDir():
			return fs.SkipDir
		case unreadable:
			return nil
		case err != nil:
			return err
		}
		target := filepath.Join(to, path[len(from):])
		switch {
		case path == from:
			return nil
		case e.IsDir() && path == "/etc/netns":
			return fs.SkipDir
		case e.IsDir():
			err = copyFolder(path, target)
		case e.Type() == fs.ModeSymlink:
			err = copyLink(path, target)
		case e.Type().IsRegular():
			err = copyFile(path, target)
		}
		if errors.Is(err, fs.ErrPermission) || errors.Is(err, fs.ErrNotExist) || errors.Is(err, errNoFile) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("copy %s: %w", path, err)
		}
		return nil
	})
}

func copyFolder(path, target string) error {
	var st unix.Stat_t
	if err := unix.Lstat(path, &st); err != nil {
		return err
	}
	if err := os.Mkdir(target, 0o700); err != nil {
		return err
	}
	return takeAfter(st, target)
}

func copyLink(path, target string) error {
	var st unix.Stat_t
	if err := unix.Lstat(path, &st); err != nil {
		return err
	}
	leads, err := os.Readlink(path)
	if err != nil {
		return err
	}
	if err := os.Symlink(leads, target); err != nil {
		return err
	}
	return takeAfter(st, target)
}

// errNoFile: what was a regular file is one no longer.
var errNoFile = errors.New("no regular file")

// copyFile copies the text, the owner and the mode of one file, even if another takes its name meanwhile.
func copyFile(path, target string) error {
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC|unix.O_NONBLOCK|unix.O_NOFOLLOW, 0)
	if errors.Is(err, unix.ELOOP) || errors.Is(err, unix.ENXIO) {
		return errNoFile
	}
	if err != nil {
		return err
	}
	source := os.NewFile(uintptr(fd), path)
	defer source.Close()
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil || st.Mode&unix.S_IFMT != unix.S_IFREG {
		return errors.Join(errNoFile, err)
	}
	copied, err := os.OpenFile(target, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(copied, source)
	if err := errors.Join(err, copied.Close()); err != nil {
		return err
	}
	return takeAfter(st, target)
}

// overflow is how ids are shown that this user namespace does not have (proc_sys_kernel(5), overflowuid).
const overflow = 65534

// takeAfter gives a copy the owner, the group and the mode of its original. In place of those that this user namespace
// does not have the copy has the caller's, who could read the original: nobody gets to read more than before. It is
// set-user-ID or set-group-ID never.
func takeAfter(st unix.Stat_t, target string) error {
	uid, gid := int(st.Uid), int(st.Gid)
	if uid == overflow {
		uid = -1
	}
	if gid == overflow {
		gid = -1
	}
	if err := unix.Lchown(target, uid, gid); err != nil && !errors.Is(err, unix.EINVAL) { // EINVAL: not one of ours
		return err
	}
	if st.Mode&unix.S_IFMT == unix.S_IFLNK {
		return nil
	}
	return unix.Chmod(target, st.Mode&0o1777)
}
