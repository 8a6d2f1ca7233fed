package sandbox

import (
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

// firstChoice is where the search for ids that own nothing starts: above what useradd, systemd and directory services
// hand out (systemd's containers end at 1879048191, sssd's default range at 2000200000).
const firstChoice = 0x78000000

// ids are the users and groups of this user namespace that those from 0 of the sandbox stand for. Both layers number
// them alike: who judges is to read the ids that programs have written, such as those of a rule or of
// ping_group_range.
type ids struct {
	firstUID, firstGID int
	size               int
	// foreign says that they are not the caller's own: they own nothing, and may do to the machine's files what
	// everybody may.
	foreign bool
}

// chooseIDs: an ordinary user has only himself to give. Root gives ids that own nothing, never its own: as the
// machine's root inside one could write to /etc and to the sysctls of the kernel.
func chooseIDs() (ids, error) {
	if os.Geteuid() != 0 {
		return ids{firstUID: os.Geteuid(), firstGID: os.Getegid(), size: 1}, nil
	}
	uids, err := readMap("/proc/self/uid_map")
	if err != nil {
		return ids{}, err
	}
	gids, err := readMap("/proc/self/gid_map")
	if err != nil {
		return ids{}, err
	}
	var taken []idRange
	for _, file := range []string{"/etc/subuid", "/etc/subgid"} {
		some, err := readSubordinate(file)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return ids{}, err
		}
		taken = append(taken, some...)
	}
	for first := firstChoice; first+manyIDs < 1<<31; first += manyIDs {
		r := idRange{first: first, size: manyIDs}
		if r.within(uids) && r.within(gids) && !r.meets(taken) {
			return ids{firstUID: first, firstGID: first, size: manyIDs, foreign: true}, nil
		}
	}
	// In a container with few ids of its own: the last of them is the least likely to own anything.
	if uid, gid := last(uids), last(gids); uid != 0 && gid != 0 {
		return ids{firstUID: uid, firstGID: gid, size: 1, foreign: true}, nil
	}
	// The only user of a user namespace is an ordinary one outside, unless it is root there, too.
	if uids[0].outside != 0 {
		return ids{size: 1}, nil
	}
	return ids{}, &ForbiddenError{
		Cause: unix.EPERM,
		Why: "root is the only user of this user namespace and seems to be the machine's, who would own " +
			"everything inside too",
		Remedy: "start it as an ordinary user, or where root has more than one user id",
	}
}

// attributes are how init is to be started. Where the ids are foreign it begins as the caller, whom the first layer
// does not know, to open what only he may (see build), and then becomes root inside by become.
func (i ids) attributes(flags uintptr) *syscall.SysProcAttr {
	a := &syscall.SysProcAttr{
		Cloneflags:  flags,
		UidMappings: i.mapping(i.firstUID),
		GidMappings: i.mapping(i.firstGID),
		Pdeathsig:   syscall.SIGKILL,
		Setsid:      true,
	}
	if i.foreign {
		a.GidMappingsEnableSetgroups = true
		a.AmbientCaps = allCapabilities()
	}
	return a
}

// mapping maps the ids of the sandbox to those from first on.
func (i ids) mapping(first int) []syscall.SysProcIDMap {
	return []syscall.SysProcIDMap{{ContainerID: 0, HostID: first, Size: i.size}}
}

// become makes all threads of this process those of root in its user namespace, without other groups.
func become() error {
	return errors.Join(syscall.Setgroups(nil), syscall.Setresgid(0, 0, 0), syscall.Setresuid(0, 0, 0))
}

// allCapabilities are those that this kernel knows.
func allCapabilities() []uintptr {
	last := unix.CAP_LAST_CAP
	if text, err := os.ReadFile("/proc/sys/kernel/cap_last_cap"); err == nil {
		if n, err := strconv.Atoi(strings.TrimSpace(string(text))); err == nil {
			last = n
		}
	}
	var all []uintptr
	for c := range last + 1 {
		all = append(all, uintptr(c))
	}
	return all
}

// idRange are the ids from first on. In a map, outside is what the first one is in the namespace above.
type idRange struct{ first, size, outside int }

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

// readMap reads the ids of this user namespace: on each line the first one here, what it is above, and how many.
func readMap(path string) ([]idRange, error) {
	var ranges []idRange
	err := eachLine(path, func(line string) error {
		var r idRange
		_, err := fmt.Sscan(line, &r.first, &r.outside, &r.size)
		ranges = append(ranges, r)
		return err
	})
	if err == nil && len(ranges) == 0 {
		err = fmt.Errorf("read %s: it is empty", path)
	}
	return ranges, err
}

// readSubordinate reads the ranges that are promised to users: on each line the user, the first id, and how many.
func readSubordinate(path string) ([]idRange, error) {
	var ranges []idRange
	err := eachLine(path, func(line string) error {
		if line == "" || strings.HasPrefix(line, "#") {
			return nil
		}
		fields := strings.Split(line, ":")
		if len(fields) != 3 {
			return fmt.Errorf("%q has not three fields", line)
		}
		first, err1 := strconv.Atoi(fields[1])
		size, err2 := strconv.Atoi(fields[2])
		ranges = append(ranges, idRange{first: first, size: size})
		return errors.Join(err1, err2)
	})
	return ranges, err
}

func eachLine(path string, f func(line string) error) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	for line := range strings.Lines(string(text)) {
		if err := f(strings.TrimSpace(line)); err != nil {
			return fmt.Errorf("read %s: %w", path, err)
		}
	}
	return nil
}
