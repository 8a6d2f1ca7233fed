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

// manyIDs is how many user and group ids programs expect a system to have.
const manyIDs = 65536

// firstChoice is where the search for ids that own nothing starts: above the ids that useradd, systemd and directory
// services assign (systemd's containers end at 1879048191, sssd's default range at 2000200000).
const firstChoice = 0x78000000

// ids is the range of users and groups outside that the sandbox's ids from 0 are mapped to. Both layers have the same
// numbers, so that the worker reads the ids that programs have written, such as those of a rule or of ping_group_range.
type ids struct {
	firstUID, firstGID int
	size               int
	// foreign is true if they are not the caller's own ids: they own nothing, and have on the host's files only the
	// permissions of others.
	foreign bool
}

// chooseIDs chooses the ids of a sandbox. An ordinary user can only map his own. For root they are ids that own
// nothing, never root's own: somebody inside with the host's uid 0 could write to /etc and to the kernel's sysctls.
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
	// A container may have few ids: the last of them is the least likely to own anything.
	if uid, gid := last(uids), last(gids); uid != 0 && gid != 0 {
		return ids{firstUID: uid, firstGID: gid, size: 1, foreign: true}, nil
	}
	// If this user namespace has one id, it is an ordinary user's outside, unless it is mapped to root there, too.
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

// attributes returns how init is started. If the ids are foreign, it starts as the caller, who has no id in the first
// layer, so that it can open what only the caller may open (see build). Then it becomes root inside (see become).
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

// mapping maps the ids of the sandbox from 0 to those outside from first.
func (i ids) mapping(first int) []syscall.SysProcIDMap {
	return []syscall.SysProcIDMap{{ContainerID: 0, HostID: first, Size: i.size}}
}

// become makes all threads of this process root in its user namespace, without supplementary groups.
func become() error {
	return errors.Join(syscall.Setgroups(nil), syscall.Setresgid(0, 0, 0), syscall.Setresuid(0, 0, 0))
}

// allCapabilities returns all capabilities that this kernel knows.
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

// idRange is a range of ids. In a map, outside is what first is mapped to in the parent user namespace.
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

// readMap reads uid_map or gid_map (user_namespaces(7)): on each line the first id inside, the first id outside, and
// their number.
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

// readSubordinate reads the ranges that are assigned to users (subuid(5)): on each line the user, the first id, and
// their number.
func readSubordinate(path string) ([]idRange, error) {
	var ranges []idRange
	err := eachLine(path, func(line string) error {
		if line == "" || strings.HasPrefix(line, "#") {
			return nil
		}
		fields := strings.Split(line, ":")
		if len(fields) != 3 {
			return fmt.Errorf("%q does not have three fields", line)
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
