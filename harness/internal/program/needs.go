package program

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"netnscheck/harness/scenario"
	"netnscheck/harness/scenario/operation"
)

// Installed checks that the programs a command starts are installed, as far as they can be read from it: the program
// after any `ip netns exec`, and those that it starts in turn (timeout, sh -c, …). The error is a
// *scenario.Unavailable with all missing programs.
//
// If the step expects a refusal, a program that no known package has may be missing: that is a lesson about a program
// that does not exist. It has to be there, however, if the command starts it directly and not through another program,
// since then there is nothing that could refuse it.
func Installed(cmd scenario.Command) error {
	ns, words := operation.Enter(cmd.Argv)
	if len(words) == 0 {
		return nil
	}
	var missing []string
	for _, name := range Started(words) {
		lesson := cmd.Status.Refusal() && Package(filepath.Base(name)) == "" && (ns != "" || name != words[0])
		if !lesson && !isThere(name) {
			missing = append(missing, name)
		}
	}
	if len(missing) > 0 {
		return NotInstalled(missing...)
	}
	return nil
}

// NotInstalled returns the error for missing programs, with the packages that contain them.
func NotInstalled(names ...string) *scenario.Unavailable {
	var packages []string
	for _, name := range names {
		if pkg := Package(filepath.Base(name)); pkg != "" && !slices.Contains(packages, pkg) {
			packages = append(packages, pkg)
		}
	}
	reason := fmt.Sprintf("the program %s is not installed", names[0])
	if len(names) > 1 {
		reason = fmt.Sprintf("the programs %s are not installed", strings.Join(names, ", "))
	}
	switch len(packages) {
	case 0:
	case 1:
		reason += fmt.Sprintf(" (package %s)", packages[0])
	default:
		reason += fmt.Sprintf(" (packages %s)", strings.Join(packages, ", "))
	}
	return &scenario.Unavailable{Reason: reason, Programs: names}
}

// isThere reports whether a program can be started. A path outside the system's program directories is not checked: the
// lesson may create it.
func isThere(name string) bool {
	if !strings.Contains(name, "/") {
		_, err := LookPath(name)
		return err == nil
	}
	if !slices.Contains(systemDirs, filepath.Dir(name)) {
		return true
	}
	_, err := os.Stat(name)
	return err == nil
}

// Started returns the programs that a command starts, each once, as far as they can be read from its words.
func Started(argv []string) []string {
	var s starts
	s.command(argv)
	return s.programs
}

// starts collects programs.
type starts struct{ programs []string }

// unread stands for a word of a shell script whose value is only known when the script runs.
const unread = "\x00"

func (s *starts) add(name string) {
	if !slices.Contains(s.programs, name) {
		s.programs = append(s.programs, name)
	}
}

// command adds the program of a command and the programs that it starts.
func (s *starts) command(argv []string) {
	if len(argv) == 0 || argv[0] == "" || strings.Contains(argv[0], unread) {
		return
	}
	s.add(argv[0])
	name := filepath.Base(argv[0])
	if w, ok := wrappers[name]; ok {
		s.wrapped(w, argv[1:])
		return
	}
	if slices.Contains(shells, name) {
		if text, ok := shellText(argv[1:]); ok {
			s.shell(text)
		}
		return
	}
	switch name {
	case "ip":
		if _, left := operation.Enter(argv); len(left) > 0 && filepath.Base(left[0]) != name {
			s.command(left)
		}
	case "capsh": // capsh -- WORDS of bash
		if i := slices.Index(argv, "--"); i >= 0 {
			s.command(append([]string{"bash"}, argv[i+1:]...))
		}
	}
}

// wrapper describes the arguments of a program that starts another one. Its options end at the first word that is not
// an option.
type wrapper struct {
	// short and long are the one-letter and the long options that take a value.
	short, long string
	// words is the number of operands before the command, such as the DURATION of timeout.
	words int
	// text are the options, short or long, whose value is a shell script.
	text []string
	// process is true if the options -p and --pid make it act on a running process instead of starting one.
	process bool
	// assigns is true if NAME=VALUE may precede the command.
	assigns bool
}

// wrappers are the programs that start the command in their arguments. Programs for which that name means something
// else are left out: chroot has another root, busybox its own programs.
var wrappers = map[string]wrapper{
	"chrt":    {short: "TPD", long: "sched-runtime sched-period sched-deadline", words: 1, process: true},
	"env":     {short: "uCa", long: "unset chdir argv0", text: []string{"-S", "--split-string"}, assigns: true},
	"flock":   {short: "wE", long: "wait timeout conflict-exit-code", words: 1, text: []string{"-c", "--command"}},
	"ionice":  {short: "cn", long: "class classdata", process: true},
	"ltrace":  {short: "aAeDlnopsuwx", long: "align output"},
	"nice":    {short: "n", long: "adjustment"},
	"nohup":   {},
	"nsenter": {short: "tSG", long: "target setuid setgid"},
	"prlimit": {short: "o", long: "output", process: true},
	"setpriv": {long: "ambient-caps inh-caps bounding-set ruid euid rgid egid reuid regid groups securebits " +
		"pdeathsig ptracer selinux-label apparmor-profile landlock-access landlock-rule seccomp-filter"},
	"setsid":  {},
	"stdbuf":  {short: "ioe", long: "input output error"},
	"strace":  {short: "abeEIoOPsSuUX", long: "trace output string-limit user env columns attach"},
	"taskset": {words: 1, process: true},
	"time":    {short: "fo", long: "format output"},
	"timeout": {short: "ks", long: "kill-after signal", words: 1},
	"unshare": {short: "RwSG", long: "root wd setuid setgid map-user map-group map-users map-groups propagation " +
		"setgroups monotonic boottime"},
	"xargs": {short: "adEIiLlnPs", long: "arg-file delimiter max-lines max-args max-procs max-chars replace eof"},
}

// wrapped skips the options of a wrapper and adds the command after them.
func (s *starts) wrapped(w wrapper, argv []string) {
	for len(argv) > 0 && strings.HasPrefix(argv[0], "-") && argv[0] != "-" {
		option := argv[0]
		argv = argv[1:]
		if option == "--" {
			break
		}
		name, value, attached := w.option(option)
		if !attached && len(argv) > 0 {
			value, argv = argv[0], argv[1:]
		}
		switch {
		case w.process && (name == "-p" || name == "--pid"):
			return
		case slices.Contains(w.text, name):
			s.shell(value)
			return
		}
	}
	for w.assigns && len(argv) > 0 && strings.Contains(argv[0], "=") {
		if strings.HasPrefix(argv[0], "PATH=") {
			return // the search path is not known
		}
		argv = argv[1:]
	}
	for range w.words {
		if len(argv) == 0 {
			return
		}
		argv = argv[1:]
	}
	if w.words > 0 && len(argv) > 1 && slices.Contains(w.text, argv[0]) { // flock FILE -c TEXT
		s.shell(argv[1])
		return
	}
	s.command(argv)
}

// option splits a word of options into the name of its only or last option and the value of that option. If attached is
// false, the value is the next word.
func (w wrapper) option(word string) (name, value string, attached bool) {
	if strings.HasPrefix(word, "--") {
		name, value, attached = strings.Cut(word, "=")
		takes := slices.Contains(strings.Fields(w.long), name[2:]) || slices.Contains(w.text, name)
		return name, value, attached || !takes
	}
	for i, letter := range word[1:] {
		name = "-" + string(letter)
		if strings.ContainsRune(w.short, letter) || slices.Contains(w.text, name) {
			value = word[1+i+len(string(letter)):]
			return name, value, value != ""
		}
		if w.process && name == "-p" {
			break
		}
	}
	return name, "", true
}
