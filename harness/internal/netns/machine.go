package netns

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// This file looks at the host's namespaces, without a World. It makes nothing, and a thread that enters a namespace
// ends there.

// Own opens the network namespace of the calling thread.
func Own() (Handle, error) { return current() }

// OfProcess opens the network namespace of a process or thread. The error wraps ENOENT if there is none with this id.
func OfProcess(pid int) (Handle, error) {
	h, err := openFile(filepath.Join("/proc", strconv.Itoa(pid), "ns/net"))
	if err != nil {
		return Handle{}, fmt.Errorf("open the namespace of process %d: %w", pid, err)
	}
	return h, nil
}

// OfName opens the namespace with this name on the host: in the /run/netns that the caller sees. The error wraps EINVAL
// if what has the name is not a network namespace.
func OfName(name string) (Handle, error) {
	h, err := openFile(filepath.Join(namesDir, name))
	if err != nil {
		return Handle{}, fmt.Errorf("open namespace %q: %w", name, err)
	}
	return h, nil
}

// OfFile opens the namespace that is mounted on a file, or is that of a process's own file in /proc. The error wraps
// EINVAL if it is not a network namespace.
func OfFile(path string) (Handle, error) {
	h, err := openFile(path)
	if err != nil {
		return Handle{}, fmt.Errorf("open the namespace in %s: %w", path, err)
	}
	return h, nil
}

// mounted is the inode in the root of a mount of nsfs, in mountinfo.
var mounted = regexp.MustCompile(`^net:\[(\d+)\]$`)

// MachineFiles returns a file for each namespace that is mounted on one, by inode: those of /run/netns, and what Docker
// and others mount elsewhere. A later mount may hide one of them.
func MachineFiles() (map[uint64]string, error) {
	text, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return nil, fmt.Errorf("read the mounts: %w", err)
	}
	files := map[uint64]string{}
	for line := range strings.Lines(string(text)) {
		fields := strings.Fields(line) // proc_pid_mountinfo(5): id, parent, device, root, mount point
		if len(fields) < 5 {
			continue
		}
		if m := mounted.FindStringSubmatch(fields[3]); m != nil {
			if inode, err := strconv.ParseUint(m[1], 10, 64); err == nil {
				files[inode] = spelt.Replace(fields[4])
			}
		}
	}
	return files, nil
}

// spelt spells out what mountinfo escapes.
var spelt = strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`)

func openFile(path string) (Handle, error) {
	// O_NONBLOCK: it may be a FIFO.
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		return Handle{}, err
	}
	return newHandle(fd)
}

// MachineNames returns the entries of the host's /run/netns, sorted; not all of them need be namespaces.
func MachineNames() ([]string, error) {
	entries, err := os.ReadDir(namesDir)
	if errors.Is(err, unix.ENOENT) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("list namespaces: %w", err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	slices.Sort(names)
	return names, nil
}

// MachineProcesses returns the processes on the host by the inode of their network namespace, each list sorted, with
// the threads that are in another namespace than their process. hidden are the processes whose namespace may not be
// read. A zombie is in none.
func MachineProcesses() (inside map[uint64][]int, hidden []int, err error) {
	pids, err := listProcesses()
	if err != nil {
		return nil, nil, err
	}
	slices.Sort(pids)
	inside = map[uint64][]int{}
	for _, pid := range pids {
		if _, err := os.Readlink(fmt.Sprintf("/proc/%d/ns/net", pid)); errors.Is(err, unix.EACCES) ||
			errors.Is(err, unix.EPERM) {
			hidden = append(hidden, pid)
			continue
		}
		own, _ := namespaceOf(pid, "net")
		if own != 0 {
			inside[own] = append(inside[own], pid)
		}
		if pid == os.Getpid() {
			continue // threads of this process that are elsewhere were sent there by this package
		}
		threads, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", pid))
		if err != nil {
			continue // it has ended
		}
		for _, t := range threads {
			tid, err := strconv.Atoi(t.Name())
			if err != nil || tid == pid {
				continue
			}
			if inode, ok := namespaceOf(tid, "net"); ok && inode != own {
				inside[inode] = append(inside[inode], tid)
			}
		}
	}
	for _, ids := range inside {
		slices.Sort(ids)
	}
	return inside, hidden, nil
}

// Do runs f inside the namespace, on a thread of its own that ends with f, and waits for it.
func (h Handle) Do(f func() error) error {
	return onThrowawayThread(func() error {
		if err := h.enter(); err != nil {
			return fmt.Errorf("enter namespace %d: %w", h.Inode(), err)
		}
		return f()
	})
}
