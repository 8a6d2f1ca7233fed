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

// Installed says whether the programs are there that a command starts, as far as that can be read from it: the one that
// it names, behind all `ip netns exec`, and those behind the words of other programs (timeout, sh -c, …). If not, the
// error is a *scenario.Unavailable with all that are missing.
//
// Where a refusal is expected, a program of which no package is known may be missing: that is a lesson about a program
// that does not exist. But one that is to be started without a namespace has to be there, for nobody is left to refuse
// it.
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

// NotInstalled is the error for a command whose programs are not there: which they are, and the packages that have
// them.
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

// isThere says whether a program can be started. Of a file only one in a folder for system programs is judged: another
// may be one that the lesson makes.
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

// Started are the programs that a command starts, each once, as far as that can be read from its words.
func Started(argv []string) []string {
	var s starts
	s.command(argv)
	return s.programs
}

// starts collects programs.
type starts struct{ programs []string }

// unread stands for a word of a shell text whose value is not known before it runs.
const unread = "\x00"

func (s *starts) add(name string) {
	if !slices.Contains(s.programs, name) {
		s.programs = append(s.programs, name)
	}
}

// command adds the program that a command names, and what that one starts.
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

// wrapper is how a program that starts another one is called. Its options end before the first word that is none.
type wrapper struct {
	// short are its options of one letter and long those of a word, of those that take the next word.
	short, long string
	// words is how many words stand before the command: the DURATION of timeout.
	words int
	// text are the options, short or long, whose word is shell text.
	text []string
	// process says that it has the options -p and --pid, with which it is about a process that runs, and starts none.
	process bool
	// assigns says that NAME=VALUE may stand before the command.
	assigns bool
}

// wrappers are the programs that start the one behind their own words. Not here are those behind which names mean
// something else: chroot with its own root, busybox with its own programs.
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

// wrapped goes over the options of a wrapper to the command behind them.
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
			return // where it looks is not known
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

// option is what a word of options says: the name of its only or last one, and the value of that. Not attached means
// that the value is the next word.
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
