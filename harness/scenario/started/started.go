// Package started reads from the words of a command which programs it starts: itself, and others behind `ip netns
// exec`, the usual wrappers (timeout, env, …) and the text of a shell. It is pure: it imports scenario/operation alone,
// anybody may import it, and it never looks at the machine, so what only a running program decides stays unknown to it.
package started

import (
	"path/filepath"
	"slices"
	"strings"

	"netnscheck/harness/scenario/operation"
)

// Programs returns the programs that a command starts, each once, as far as they can be read from its words, and as far
// as they have to be there: not those that a script looks for itself, nor those that it finds by a PATH of its own. If
// it reads another file, which may define functions, only the programs count that packaged knows.
func Programs(argv []string, packaged func(name string) bool) []string {
	s := reader{packaged: packaged}
	s.command(argv)
	return s.programs
}

// Behind returns the first of the programs names that a command starts, itself or through others. If there is none,
// unread is what it starts without saying what that does: the file of a script, a name that is known when it runs. A
// name may be an applet, such as `busybox ip`. Both are "" if the command surely starts none of them.
func Behind(argv []string, names ...string) (name, unread string) {
	s := reader{all: true}
	s.command(argv)
	for _, program := range s.programs {
		if base := filepath.Base(program); slices.Contains(names, base) {
			return base, ""
		}
	}
	return "", s.hidden
}

// reader collects the programs of a command.
type reader struct {
	programs []string
	packaged func(name string) bool
	// all is set to collect every program that may be started, those of busybox and of another root too.
	all bool
	// hidden is the first thing that is started without being read.
	hidden string
	// into collects the commands that start no other one, in the namespace netns; nil if nobody asks for them.
	into  *[]Command
	netns string
}

// unread stands for a word of a shell script whose value is only known when the script runs.
const unread = "\x00"

func (s *reader) add(name string) {
	if !slices.Contains(s.programs, name) {
		s.programs = append(s.programs, name)
	}
}

func (s *reader) hide(what string) {
	if s.hidden == "" {
		s.hidden = strings.ReplaceAll(what, unread, "$…")
	}
}

// command adds the program of a command and the programs that it starts.
func (s *reader) command(argv []string) {
	if len(argv) == 0 || argv[0] == "" {
		return
	}
	if strings.Contains(argv[0], unread) {
		s.hide(argv[0])
		return
	}
	s.add(argv[0])
	name := filepath.Base(argv[0])
	if w, ok := wrappers[name]; ok {
		outer := s.netns
		s.enters(name, argv)
		s.wrapped(w, argv[1:])
		s.netns = outer
		return
	}
	if slices.Contains(shells, name) {
		if text, ok := shellText(argv[1:]); ok {
			s.shell(text)
		} else {
			s.hide(strings.Join(argv[:min(len(argv), 2)], " "))
		}
		return
	}
	switch name {
	case "ip":
		if netns, left := operation.Enter(argv); len(left) > 0 && filepath.Base(left[0]) != name {
			outer := s.netns
			if netns != "" {
				s.netns = netns
			}
			s.command(left)
			s.netns = outer
		} else {
			s.start(argv)
		}
		if c, err := operation.Parse(argv); err == nil {
			if all, ok := c.Op.(operation.NetnsExecAll); ok {
				s.command(all.Each.Argv())
			}
		}
	case "capsh": // capsh -- WORDS of bash
		if i := slices.Index(argv, "--"); i >= 0 {
			s.command(append([]string{"bash"}, argv[i+1:]...))
		}
	default:
		if !s.all || !s.elsewhere(name, argv) {
			s.start(argv)
		}
	}
}

// elsewhere adds what is started by programs whose own programs are not those of this machine, or need not be there,
// and hides a program that the lesson may have written. It reports whether the program starts others.
func (s *reader) elsewhere(name string, argv []string) bool {
	if strings.Contains(argv[0], "/") && !slices.Contains(systemDirs, filepath.Dir(argv[0])) {
		s.hide(argv[0])
		return false
	}
	switch name {
	case "busybox":
		if len(argv) > 1 && !slices.Contains(shells, argv[1]) {
			if _, ok := wrappers[argv[1]]; !ok {
				s.add(name + " " + argv[1])
				return false
			}
		}
		s.command(argv[1:])
	case "chroot":
		s.wrapped(wrapper{long: "groups userspec", words: 1}, argv[1:])
	case "sudo", "doas":
		s.wrapped(wrapper{short: "CDghpRrTtUu", assigns: true}, argv[1:])
	case "su", "runuser", "script":
		if i := slices.Index(argv, "-c"); i >= 0 && i+1 < len(argv) {
			s.shell(argv[i+1])
		}
	case "watch":
		rest := argv[1:]
		for len(rest) > 0 && strings.HasPrefix(rest[0], "-") {
			if rest[0] == "-n" && len(rest) > 1 {
				rest = rest[1:]
			}
			rest = rest[1:]
		}
		s.shell(strings.Join(rest, " "))
	case "find":
		for i, word := range argv {
			if slices.Contains([]string{"-exec", "-execdir", "-ok", "-okdir"}, word) {
				s.command(argv[i+1:])
			}
		}
	default:
		return false
	}
	return true
}

// systemDirs hold the programs that are not the lesson's own.
var systemDirs = []string{"/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/sbin", "/usr/bin", "/bin"}

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
func (s *reader) wrapped(w wrapper, argv []string) {
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
		if strings.HasPrefix(argv[0], "PATH=") && !s.all {
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
