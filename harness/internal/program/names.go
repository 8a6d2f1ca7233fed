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

// RealNames replaces the lesson's names of namespaces in a command with those the namespaces have on the host: where
// the grammar of `ip`, `bridge` and `tc` expects one, and in paths below /run/netns and /etc/netns. In the sandbox the
// two are the same. A command that names a namespace anywhere else cannot be translated; the error is a
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

// Renamable returns the error that RealNames would return for a command, before there is a lab.
func Renamable(argv, namespaces []string) error {
	for _, name := range NamesIn(argv) {
		if !netns.Renamable(name) {
			return &scenario.Unavailable{Reason: fmt.Sprintf(
				"the name of a namespace has %d bytes, which leaves no room for the suffix of the lab "+
					"(--sandbox=off)", len(name))}
		}
	}
	_, err := replaceNames(func(name string) string { return name }, namespaces, argv)
	return err
}

// NamesIn returns the namespaces that a command names where its grammar expects one.
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

// replaceNames is RealNames for the namespaces known, whose real names real returns.
func replaceNames(real func(string) string, known, argv []string) ([]string, error) {
	if beyond(argv) {
		return nil, errBeyond
	}
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
		// A single word is left alone: an interface may have the namespace's name.
		if !foreign[i] || !strings.ContainsAny(word, " \t\n;") {
			continue
		}
		script := netnsPath.ReplaceAllString(word, "")
		if beyond(strings.FieldsFunc(script, betweenWords)) {
			return nil, errBeyond
		}
		for _, name := range append(slices.Clone(known), "netns") {
			if mentions(script, name) {
				return nil, &scenario.Unavailable{Reason: fmt.Sprintf(
					"the command names %s inside %q, where the harness cannot put a namespace's real name "+
						"(--sandbox=off)", name, word)}
			}
		}
	}
	return out, nil
}

var errBeyond = &scenario.Unavailable{Reason: "the command is for all namespaces of the machine, or has their names " +
	"in a file, where the harness cannot put the real ones (--sandbox=off)"}

var netnsPath = regexp.MustCompile(`(?:/var/run/netns|/run/netns|/etc/netns)/[^/\s'";]+`)

// placeNames rewrites in place the words of a command that are namespaces by the grammar of iproute2's programs, also
// after the words of another program that starts one of them (timeout, env). named are the indexes of these words,
// foreign those of the words of other programs.
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
			option := valued(name, words[i])
			if option == "netns" {
				put(i + 1)
			}
			if option != "" {
				i++ // its value
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

// beyond reports whether an ip command, also one behind another program, has the option -all or -batch. The lines of
// `bridge -batch` and `tc -batch` cannot name a namespace.
func beyond(words []string) bool {
	for i, word := range words {
		if filepath.Base(word) != "ip" {
			continue
		}
		for j := i + 1; j < len(words) && strings.HasPrefix(words[j], "-"); j++ {
			switch option := valued("ip", words[j]); {
			case option == "batch", abbreviates(strings.TrimLeft(words[j], "-"), "all", 1):
				return true
			case option != "":
				j++
			}
		}
	}
	return false
}

// valued returns in full the option that a word is to a program of iproute2, if a value follows it, else "".
func valued(program, word string) string {
	option := strings.TrimLeft(word, "-")
	for _, o := range valuedOptions[program] {
		if abbreviates(option, o.name, o.least) {
			return o.name
		}
	}
	return ""
}

// valuedOptions are the options with values, each with the letters that tell it from others: those of ip(8), bridge(8)
// and tc(8). `tc -f` is -force.
var valuedOptions = map[string][]struct {
	name  string
	least int
}{
	"ip":     {{"netns", 1}, {"batch", 1}, {"family", 1}, {"loops", 1}, {"rcvbuf", 2}},
	"bridge": {{"netns", 1}, {"batch", 1}, {"family", 1}},
	"tc":     {{"netns", 1}, {"batch", 1}, {"conf", 1}, {"cf", 2}},
}

// abbreviates reports whether a word is the beginning of another, of at least that many letters.
func abbreviates(word, of string, least int) bool {
	return len(word) >= least && strings.HasPrefix(of, word)
}

func numeric(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }

// mentions reports whether a shell script has the name as a word of its own.
func mentions(text, name string) bool {
	return slices.Contains(strings.FieldsFunc(text, betweenWords), name)
}

func betweenWords(r rune) bool { return strings.ContainsRune(" \t\n;|&()'\"=/$`<>", r) }
