package place

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// A process id in a runtime's file outlives the process if the runtime or the machine goes down, and then it can be
// anybody's.

// supervisors are the options by which a shim of containerd or Docker, and conmon of Podman or CRI-O, are told the id
// of the container whose process they start.
var supervisors = []string{"-id", "--id", "-c", "--cid"}

// ofContainer is the place of the process that a runtime's file names, if it is seen to be the container's.
func (f finder) ofContainer(pid int, id string) (Place, error) {
	errGone := errors.New("it does not run")
	if pid == 0 {
		return Place{}, errGone
	}
	p, err := processOf(pid)
	if errors.Is(err, errNoProcess) {
		return Place{}, errGone
	}
	if err != nil {
		return Place{}, err
	}
	// What is read from here on is of the same process: an id is not given twice in so short a time.
	owned, err := f.owned(pid, id)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return Place{}, errGone
	case err != nil:
		return Place{}, fmt.Errorf("see whose process %d is: %w", pid, err)
	case !owned:
		return Place{}, fmt.Errorf("whether it runs cannot be told: "+
			"neither the control group nor the parent of process %d, which should be its own, names the container", pid)
	}
	return p, nil
}

// owned reports whether a process belongs to a container: its control group names it, or, where it has none of its own,
// the command line of its parent, the supervisor.
func (f finder) owned(pid int, id string) (bool, error) {
	if id == "" {
		return false, nil
	}
	groups, err := f.ofProcess(pid, "cgroup")
	if err != nil {
		return false, err
	}
	if inGroupOf(groups, id) {
		return true, nil
	}
	about, err := f.ofProcess(pid, "status")
	if err != nil {
		return false, err
	}
	parent := parentIn(about)
	if parent == 0 {
		return false, nil
	}
	command, err := f.ofProcess(parent, "cmdline")
	if errors.Is(err, fs.ErrNotExist) { // the parent has ended meanwhile
		return false, nil
	}
	return supervises(command, id), err
}

func (f finder) ofProcess(pid int, file string) (string, error) {
	text, err := f.text(filepath.Join("/proc", strconv.Itoa(pid), file))
	return string(text), err
}

// inGroupOf reports whether a control group in /proc/PID/cgroup is the container's or lies in it. A part of its path is
// the id, alone or behind a word: docker/ID, docker-ID.scope, libpod-ID.scope/container, crio-ID,
// SLICE:cri-containerd:ID. The group of conmon itself, libpod-conmon-ID.scope, is not in the container.
func inGroupOf(groups, id string) bool {
	named := regexp.MustCompile(`(?:^|[-:])` + regexp.QuoteMeta(id) + `(?:\.scope)?$`)
	for line := range strings.Lines(groups) {
		fields := strings.SplitN(strings.TrimSuffix(line, "\n"), ":", 3) // cgroups(7): hierarchy, controllers, path
		if len(fields) < 3 {
			continue
		}
		for part := range strings.SplitSeq(fields[2], "/") {
			if named.MatchString(part) && !strings.Contains(part, "-conmon-") {
				return true
			}
		}
	}
	return false
}

// parentIn is the id of the parent in /proc/PID/status, 0 for none that can be seen.
func parentIn(about string) int {
	for line := range strings.Lines(about) {
		if text, ok := strings.CutPrefix(line, "PPid:"); ok {
			pid, _ := strconv.Atoi(strings.TrimSpace(text))
			return pid
		}
	}
	return 0
}

// supervises reports whether a command line is that of the supervisor of a container.
func supervises(command, id string) bool {
	words := strings.Split(command, "\x00")
	for i, word := range words[1:] {
		if word == id && slices.Contains(supervisors, words[i]) {
			return true
		}
	}
	return false
}
