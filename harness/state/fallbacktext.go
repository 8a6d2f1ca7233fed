package state

import (
	"regexp"
	"slices"
	"strings"
)

// UntouchedFallback are the names that only fallback tunnels have which nobody has touched, wherever a link has them.
func (s *State) UntouchedFallback() (names []string) {
	for _, name := range FallbackTunnels {
		there, untouched := false, true
		for i := range s.Namespaces {
			if l := s.Namespaces[i].Link(name); l != nil {
				there, untouched = true, untouched && l.Fallback()
			}
		}
		if there && untouched {
			names = append(names, name)
		}
	}
	return names
}

// aboutLink are the places where a line of a listing names the link that it is about: after an index (ip), at the
// beginning (ip -br, ifconfig, /proc/net/dev, ls), after dev (tc, ip route), or in a key of sysctl.
var aboutLink = []*regexp.Regexp{
	regexp.MustCompile(`^(?:\d+: |\s*)([\w.-]+)(?:@\w+)?(?:[:\s]|$)`),
	regexp.MustCompile(`\bdev ([\w.-]+)`),
	regexp.MustCompile(`^net\.[\w.]+\.(?:conf|neigh)\.(\w+)\.`),
}

// counters is a line of /proc/net/dev, which is indented though it is no part of the line before.
var counters = regexp.MustCompile(`^ {0,5}[\w.-]+: *\d+ `)

// WithoutLinks is the output of a program that lists links or settings (ip, ifconfig, ls, sysctl), without what it says
// of the links with these names: lines about them, and the indented lines after each such line.
func WithoutLinks(output string, names []string) string {
	var kept strings.Builder
	below := false // a line about such a link
	for line := range strings.Lines(output) {
		indented := strings.TrimLeft(line, " \t") != line && !counters.MatchString(line)
		below = indented && below || slices.ContainsFunc(aboutLink, func(place *regexp.Regexp) bool {
			about := place.FindStringSubmatch(strings.TrimRight(line, "\n"))
			return about != nil && slices.Contains(names, about[1])
		})
		if !below {
			kept.WriteString(line)
		}
	}
	return kept.String()
}
