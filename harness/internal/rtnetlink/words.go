package rtnetlink

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"netnscheck/harness/internal/netns"
)

// Names with the same number on every machine; lookName finds others in iproute2's files.
var (
	tables = map[string]uint32{"unspec": 0, "default": unix.RT_TABLE_DEFAULT, "main": unix.RT_TABLE_MAIN,
		"local": unix.RT_TABLE_LOCAL}
	scopes    = map[string]uint32{"global": 0, "site": 200, "link": 253, "host": 254, "nowhere": 255}
	protocols = map[string]uint32{"unspec": 0, "none": 0, "redirect": 1, "kernel": 2, "boot": 3, "static": 4,
		"gated": 8, "ra": 9,
		"mrt": 10, "zebra": 11, "bird": 12, "dnrouted": 13, "xorp": 14, "ntk": 15, "dhcp": 16, "mrouted": 17,
		"keepalived": 18,
		"babel":      42, "openr": 99, "bgp": 186, "isis": 187, "ospf": 188, "rip": 189, "eigrp": 192}
	routeTypes = map[string]uint32{"unspec": 0, "unicast": 1, "local": 2, "broadcast": 3, "anycast": 4, "multicast": 5,
		"blackhole":   6,
		"unreachable": 7, "prohibit": 8, "throw": 9, "nat": 10, "xresolve": 11}
	neighbourStates = map[string]uint32{"none": 0, "incomplete": 0x01, "reachable": 0x02, "stale": 0x04, "delay": 0x08,
		"probe":  0x10,
		"failed": 0x20, "noarp": 0x40, "permanent": 0x80}
)

func (s *session) table(word string) (uint32, error) {
	return s.number(tables, "rt_tables", word, "table", 32)
}

func (s *session) scope(word string) (uint8, error) {
	n, err := s.number(scopes, "rt_scopes", word, "scope", 8)
	return uint8(n), err
}

func (s *session) protocol(word string) (uint8, error) {
	n, err := s.number(protocols, "rt_protos", word, "protocol", 8)
	return uint8(n), err
}

// number is the value of a word of iproute2: a name, or a number of at most that many bits.
func (s *session) number(known map[string]uint32, file, word, what string, bits int) (uint32, error) {
	if n, ok := known[word]; ok {
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
