package rtnetlink

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"netnscheck/harness/internal/netns"
	"netnscheck/harness/scenario/operation"
)

func (s *session) table(word string) (uint32, error) {
	return s.number(operation.Tables, "rt_tables", word, "table", 32)
}

func (s *session) scope(word string) (uint8, error) {
	n, err := s.number(operation.Scopes, "rt_scopes", word, "scope", 8)
	return uint8(n), err
}

func (s *session) protocol(word string) (uint8, error) {
	n, err := s.number(operation.Protocols, "rt_protos", word, "protocol", 8)
	return uint8(n), err
}

// number is the value of a word of iproute2: a name, or a number of at most that many bits.
func (s *session) number(known operation.Names, file, word, what string, bits int) (uint32, error) {
	if n, ok := known.Number(word); ok {
		return n, nil
	}
	if n, err := strconv.ParseUint(word, 0, bits); err == nil {
		return uint32(n), nil
	}
	if n, ok := s.lookName(file, word); ok && uint64(n) < 1<<bits {
		return n, nil
	}
	return 0, wrong("argument %q is wrong: invalid %q value", word, what)
}

// lookName looks a name up in iproute2's files, as the lab's host sees them.
func (s *session) lookName(file, word string) (n uint32, ok bool) {
	if file == "" {
		return 0, false
	}
	s.w.InMounts(func() error {
		paths := []string{filepath.Join("/etc/iproute2", file)}
		if _, err := os.Stat(paths[0]); err != nil {
			paths[0] = filepath.Join("/usr/share/iproute2", file)
		}
		more := filepath.Join("/etc/iproute2", file+".d")
		names, _ := netns.ReadNames(more)
		for _, name := range names {
			if filepath.Ext(name) == ".conf" {
				paths = append(paths, filepath.Join(more, name))
			}
		}
		for _, path := range paths {
			if n, ok = lookNameIn(path, word); ok {
				return nil
			}
		}
		return nil
	})
	return n, ok
}

// lookNameIn looks a name up in a file whose lines are a number and a name; # begins a comment.
func lookNameIn(path, word string) (uint32, bool) {
	text, err := netns.ReadFile(path)
	if err != nil {
		return 0, false // iproute2 is not installed
	}
	for line := range strings.Lines(string(text)) {
		line, _, _ = strings.Cut(line, "#")
		fields := strings.Fields(line)
		if len(fields) != 2 || fields[1] != word {
			continue
		}
		if n, err := strconv.ParseUint(fields[0], 0, 32); err == nil {
			return uint32(n), true
		}
	}
	return 0, false
}
