package program

import (
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"netnscheck/harness/internal/netns"
	"netnscheck/harness/scenario"
	"netnscheck/harness/scenario/operation"
)

// RealNames puts the names by which the machine knows the lab's namespaces into a command: where the grammar of `ip`,
// `bridge` and `tc` has a namespace, and in paths below /run/netns and /etc/netns. In the sandbox they are the lesson's
// own names. A command that names a namespace anywhere else cannot be run under another name; that is an
// *scenario.Unavailable.
func RealNames(w *netns.World, argv []string) ([]string, error) {
	if !w.Shared() {
		return argv, nil
	}
	known, err := w.Names()
	if err != nil {
		return nil, err
	}
	return replaceNames(w.Real, known, argv)
}

// Renamable says, before there is a lab, whether RealNames can put the real names of the namespaces into a command.
func Renamable(argv, namespaces []string) error {
	for _, name := range NamesIn(argv) {
		if !netns.Renamable(name) {
			return &scenario.Unavailable{Reason: fmt.Sprintf(
				"the name of a namespace has %d bytes, which leaves the harness no room to make it its own "+
					"(--sandbox=off)", len(name))}
		}
	}
	_, err := replaceNames(func(name string) string { return name }, namespaces, argv)
	return err
}

// NamesIn are the namespaces that a command names where the grammar has one.
func NamesIn(argv []string) (names []string) {
	words := slices.Clone(argv)
	named, _ := placeNames(func(name string) string { return name }, words)
	for i, word := range words {
		if named[i] {
			names = append(names, word)
		}
	}
	return names
}

// replaceNames is RealNames, where the namespaces known have these real names.
func replaceNames(real func(string) string, known, argv []string) ([]string, error) {
	out := slices.Clone(argv)
	named, foreign := placeNames(real, out)
	for i, word := range out {
		if named[i] {
			continue
		}
		out[i] = netnsPath.ReplaceAllStringFunc(word, func(path string) string {
			dir, name := filepath.Split(path)
			return dir + real(name)
		})
		// one word: an interface may share the namespace's name
		if !foreign[i] || !strings.ContainsAny(word, " \t\n;") {
			continue
		}
		for _, name := range append(slices.Clone(known), "netns") {
			if mentions(netnsPath.ReplaceAllString(word, ""), name) {
				return nil, &scenario.Unavailable{Reason: fmt.Sprintf(
					"the command names %s inside %q, where the harness cannot put a namespace's real name "+
						"(--sandbox=off)", name, word)}
			}
		}
	}
	return out, nil
}

var netnsPath = regexp.MustCompile(`(?:/var/run/netns|/run/netns|/etc/netns)/[^/\s'";]+`)

// placeNames rewrites in place the words of a command that stand where the grammar of iproute2's programs has a
// namespace, also behind the words of another program that starts one of them (timeout, env). It says which, and which
// words are other programs'.
func placeNames(real func(string) string, words []string) (named, foreign map[int]bool) {
	named, foreign = map[int]bool{}, map[int]bool{}
	put := func(i int) {
		if i < len(words) {
			words[i], named[i] = real(words[i]), true
		}
	}
	for start := 0; start < len(words); {
		name := filepath.Base(words[start])
		if name != "ip" && name != "bridge" && name != "tc" {
			foreign[start] = true
			start++
			continue
		}
		_, verb, _ := operation.Subject(words[start:])
		i := start + 1
		for i < len(words) && strings.HasPrefix(words[i], "-") {
			if option := strings.TrimLeft(words[i], "-"); option == "n" ||
				(len(option) > 1 && strings.HasPrefix("netns", option)) {
				i++
				put(i)
			}
			i++
		}
		if i >= len(words) || name != "ip" {
			break
		}
		if object := words[i]; len(object) > 2 && strings.HasPrefix("netns", object) {
			if slices.Contains([]string{"add", "attach", "delete", "exec", "pids", "set"}, verb) {
				put(i + 2)
			}
			if verb == "exec" {
				start = i + 3
				continue
			}
			break
		}
		for i++; i < len(words); i++ {
			if words[i] == "netns" {
				if i++; i < len(words) && !numeric(words[i]) { // a number is a process id (ip-link(8))
					put(i)
				}
			}
		}
		break
	}
	return named, foreign
}

func numeric(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }

// mentions looks for the name as a word of its own in a shell text.
func mentions(text, name string) bool {
	return slices.Contains(strings.FieldsFunc(text, func(r rune) bool {
		return strings.ContainsRune(" \t\n;|&()'\"=/$`<>", r)
	}), name)
}
