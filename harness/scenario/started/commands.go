package started

import (
	"slices"
	"strings"
)

// Command is a command that another one starts: its words, and the namespace that `ip netns exec` entered for it, "" if
// none did.
type Command struct {
	Netns string
	Argv  []string
}

// Commands returns what a line typed into a shell runs in the end, in the order of the text: behind `ip netns exec`,
// wrappers, sudo and the text of other shells, in any of its branches. If complete is false, the line also starts
// something that its words do not tell, or is no shell text at all. An `ip` command is returned as written, with its
// own options for the namespace.
func Commands(line string) (all []Command, complete bool) {
	s := reader{all: true, into: &all}
	complete = s.shell(line)
	return all, complete && s.hidden == ""
}

// start adds a command that starts no other one, if all its words can be read.
func (s *reader) start(argv []string) {
	switch {
	case s.into == nil:
	case slices.ContainsFunc(argv, func(word string) bool { return strings.Contains(word, unread) }):
		s.hide(strings.Join(argv, " "))
	default:
		*s.into = append(*s.into, Command{Netns: s.netns, Argv: argv})
	}
}

// enters notes the namespace into which a wrapper leads, and hides what it starts if that is not said by name.
func (s *reader) enters(name string, argv []string) {
	if s.into == nil || name != "nsenter" && name != "unshare" {
		return
	}
	for _, word := range argv {
		if netns, ok := strings.CutPrefix(word, "--net=/run/netns/"); ok && name == "nsenter" {
			s.netns = netns
			return
		}
	}
	s.hide(strings.Join(argv, " "))
}
