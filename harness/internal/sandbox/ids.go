package sandbox

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// manyIDs is the number of ids that programs expect of a system.
const manyIDs = 65536

// firstChoice is where the search for ids that own nothing starts: above what useradd, systemd and directory services hand
// out (systemd's containers end at 1879048191, sssd's default range at 2000200000).
const firstChoice = 0x78000000

// ids are the users and groups of this user namespace that those from 0 inside stand for.
type ids struct {
	firstUID, firstGID int
	size               int
	// foreign says that they are not the caller's own: they own nothing, and may do to the machine's files what everybody may.
	foreign bool
}

// chooseIDs: an ordinary user has only himself to give. Root gives ids that own nothing, never its own: as the machine's root inside
// one could write to /etc and to the sysctls of the kernel.
func chooseIDs() (ids, error) {
	if os.Geteuid() != 0 {
		return ids{firstUID: os.Geteuid(), firstGID: os.Getegid(), size: 1}, nil
	}
	uids, err := readRanges("/proc/self/uid_map", " ", 0, 2)
	if err != nil {
		return ids{}, err
	}
	gids, err := readRanges("/proc/self/gid_map", " ", 0, 2)
	if err != nil {
		return ids{}, err
	}
	var taken []idRange
	for _, file := range []string{"/etc/subuid", "/etc/subgid"} {
		some, err := readRanges(file, ":", 1, 2)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return ids{}, err
		}
		taken = append(taken, some...)
	}
	for first := firstChoice; first+manyIDs < 1<<31; first += manyIDs {
		r := idRange{first, manyIDs}
		if r.within(uids) && r.within(gids) && !r.meets(taken) {
			return ids{firstUID: first, firstGID: first, size: manyIDs, foreign: true}, nil
		}
	}
	// In a container with few ids of its own: the last of them is the least likely to own anything.
	uid, gid := last(uids), last(gids)
	if uid == 0 || gid == 0 {
		return ids{}, &ForbiddenError{
			Cause:  unix.EPERM,
			Why:    "root here is the only user of a user namespace, and would be the owner of everything inside too",
			Remedy: "start it as an ordinary user, or where root has more than one user id",
		}
	}
	return ids{firstUID: uid, firstGID: gid, size: 1, foreign: true}, nil
}

// attributes are how the first process inside is to be started.
func (i ids) attributes(flags uintptr) *syscall.SysProcAttr {
	a := &syscall.SysProcAttr{
		Cloneflags:  flags,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: i.firstUID, Size: i.size}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: i.firstGID, Size: i.size}},
		Pdeathsig:   syscall.SIGKILL,
		Setpgid:     true,
	}
	if i.foreign {
		a.GidMappingsEnableSetgroups = true
		a.Credential = &syscall.Credential{Uid: 0, Gid: 0} // and no supplementary groups
	}
	return a
}

// idRange are the ids from first on.
type idRange struct{ first, size int }

func (r idRange) within(ranges []idRange) bool {
	for _, s := range ranges {
		if s.first <= r.first && r.first+r.size <= s.first+s.size {
			return true
		}
	}
	return false
}

func (r idRange) meets(ranges []idRange) bool {
	for _, s := range ranges {
		if s.first < r.first+r.size && r.first < s.first+s.size {
			return true
		}
	}
	return false
}

func last(ranges []idRange) int {
	highest := 0
	for _, r := range ranges {
		highest = max(highest, r.first+r.size-1)
	}
	return highest
}

// readRanges reads a file with a range on each line: its first id and its size are in the given columns.
func readRanges(path, separator string, first, size int) ([]idRange, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	var ranges []idRange
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		line := strings.TrimSpace(lines.Text())
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		fields := strings.Split(line, separator)
		if separator == " " {
			fields = strings.Fields(line)
		}
		if len(fields) <= max(first, size) {
			return nil, fmt.Errorf("read %s: a line without a range: %q", path, line)
		}
		f, err1 := strconv.Atoi(fields[first])
		s, err2 := strconv.Atoi(fields[size])
		if err := errors.Join(err1, err2); err != nil {
			return nil, fmt.Errorf("read %s: %w", path, err)
		}
		ranges = append(ranges, idRange{f, s})
	}
	return ranges, lines.Err()
}
