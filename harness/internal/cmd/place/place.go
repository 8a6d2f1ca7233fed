// Package place finds the network namespace that a user names in other words than its name: as a file, by its inode, or
// as a container or a pod. Only subcommands import it. It reads what container runtimes keep in files, talks to none of
// them, and enters no namespace.
package place

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"netnscheck/harness/internal/cmd/status"
	"netnscheck/harness/internal/netns"
)

// Place is a namespace, and what keeps it alive: a process, or a file on which it is mounted.
type Place struct {
	Inode uint64
	PID   int    // 0 if File is set
	File  string // an absolute path, "" if PID is set
}

// Forms are the words that Find understands, for help.
const Forms = "docker:NAME, podman:NAME, pod:NAMESPACE/NAME,\n/proc/PID/ns/net or another file, @INODE"

// process is the file of the namespace of a process or a thread.
var process = regexp.MustCompile(`^/proc/(?:\d+/task/)?(\d+)/ns/net$`)

// Find finds what a word names. It returns the zero Place if the word is in none of the forms, or is the name of a
// namespace. An error has the status of wrong usage if there is no such thing, and that of a machine that cannot if it
// may not be looked at.
func Find(word string) (Place, error) { return finder{root: "/"}.find(word) }

// Process is the place of a process.
func Process(pid int) (Place, error) {
	p, err := processOf(pid)
	return p, told(fmt.Sprint("process ", pid), err)
}

// finder looks for namespaces on a machine whose files begin at root.
type finder struct{ root string }

func (f finder) find(word string) (p Place, err error) {
	kind, name, _ := strings.Cut(word, ":")
	look := map[string]func(string) (Place, error){"docker": f.docker, "podman": f.podman, "pod": f.pod}[kind]
	switch {
	case strings.HasPrefix(word, "/"):
		p, err = fileOf(filepath.Clean(word))
	case named(word):
		return Place{}, nil
	case strings.HasPrefix(word, "@"):
		p, err = inodeOf(word[1:])
	case look != nil && name != "":
		p, err = look(name)
	}
	return p, told(word, err)
}

// told tells why a word leads nowhere.
func told(word string, err error) error {
	if err == nil {
		return nil
	}
	if errors.Is(err, fs.ErrPermission) {
		return status.Cannotf("find %s: %w; root may look", word, err)
	}
	return status.Usagef("find %s: %w", word, err)
}

// named reports whether there is a namespace of that name.
func named(word string) bool {
	h, err := netns.OfName(word)
	if err == nil {
		h.Close()
	}
	return err == nil
}

// fileOf is the place of a file; of a process's own file it is the process, by which commands can name it.
func fileOf(path string) (Place, error) {
	if m := process.FindStringSubmatch(path); m != nil {
		if pid, err := strconv.Atoi(m[1]); err == nil {
			return processOf(pid)
		}
	}
	h, err := netns.OfFile(path)
	if err != nil {
		return Place{}, err
	}
	defer h.Close()
	return Place{Inode: h.Inode(), File: path}, nil
}

var errNoProcess = errors.New("there is no such process")

func processOf(pid int) (Place, error) {
	h, err := netns.OfProcess(pid)
	if errors.Is(err, fs.ErrNotExist) {
		return Place{}, errNoProcess
	}
	if err != nil {
		return Place{}, err
	}
	defer h.Close()
	return Place{Inode: h.Inode(), PID: pid}, nil
}

// inodeOf is the place of a namespace with an inode, as lsns(8) and `ls -l /proc/PID/ns` show it.
func inodeOf(number string) (Place, error) {
	inode, err := strconv.ParseUint(number, 10, 64)
	if err != nil {
		return Place{}, errors.New("want the number of a namespace, as lsns -t net shows it")
	}
	inside, hidden, err := netns.MachineProcesses()
	if err != nil {
		return Place{}, err
	}
	if pids := inside[inode]; len(pids) > 0 {
		return Place{Inode: inode, PID: pids[0]}, nil
	}
	files, err := netns.MachineFiles()
	if err != nil {
		return Place{}, err
	}
	if path := files[inode]; path != "" {
		return fileOf(path)
	}
	if len(hidden) > 0 {
		return Place{}, fmt.Errorf("the namespaces of %d processes may not be read: %w", len(hidden), fs.ErrPermission)
	}
	return Place{}, errors.New("no process is in such a network namespace, and no file keeps it")
}
