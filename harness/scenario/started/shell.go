package started

import (
	"slices"
	"strings"

	"mvdan.cc/sh/v3/expand"
	"mvdan.cc/sh/v3/interp"
	"mvdan.cc/sh/v3/syntax"
)

// shells are the programs that run the script after -c. The shell of busybox is not one of them: the programs that it
// starts are in busybox.
var shells = []string{"sh", "dash", "ash", "bash", "ksh", "mksh", "zsh"}

// shellText returns the script that follows -c in the arguments of a shell.
func shellText(argv []string) (text string, ok bool) {
	for i := 0; i < len(argv); i++ {
		word := argv[i]
		if len(word) < 2 || word[0] != '-' && word[0] != '+' {
			return word, ok // without -c it is the file of a script
		}
		if strings.HasPrefix(word, "--") {
			continue
		}
		ok = ok || word[0] == '-' && strings.Contains(word, "c")
		if strings.HasSuffix(word, "o") { // the name of an option follows
			i++
		}
	}
	return "", false
}

// shell adds the programs that a shell script starts, in any of its branches. It adds none for a script that sets PATH,
// and none for one that cannot be parsed: the shell will report that. It reports whether the script could be parsed.
func (s *reader) shell(text string) bool {
	file, err := syntax.NewParser(syntax.Variant(syntax.LangBash)).Parse(strings.NewReader(text), "")
	if err != nil {
		return false
	}
	t := shellScript{}
	syntax.Walk(file, t.visit)
	if t.setsPath && !s.all {
		return true
	}
	found := reader{all: s.all, packaged: s.packaged, hidden: s.hidden, into: s.into, netns: s.netns}
	for _, argv := range t.calls {
		if name := argv[0]; !slices.Contains(t.functions, name) {
			found.call(argv)
		}
	}
	s.hidden = found.hidden
	for _, name := range found.programs {
		if !s.all && (slices.Contains(t.asked, name) || t.sources && !s.packaged(name)) {
			continue
		}
		s.add(name)
	}
	return true
}

// shellScript is what decides which programs a shell script starts.
type shellScript struct {
	calls     [][]string // the words of its commands
	functions []string   // defined in it
	asked     []string   // the programs it looks for with `command -v`
	setsPath  bool
	sources   bool // it reads another file, which may define functions
}

func (t *shellScript) visit(node syntax.Node) bool {
	switch node := node.(type) {
	case *syntax.FuncDecl:
		if node.Name != nil {
			t.functions = append(t.functions, node.Name.Value)
		}
	case *syntax.Assign:
		t.setsPath = t.setsPath || node.Name != nil && node.Name.Value == "PATH"
	case *syntax.CmdSubst:
		if len(node.Stmts) != 1 {
			break
		}
		if call, ok := node.Stmts[0].Cmd.(*syntax.CallExpr); ok {
			if program, ok := asksFor(words(call)); ok { // $(command -v PROGRAM): its path is going to be used
				t.calls = append(t.calls, []string{program})
				return false
			}
		}
	case *syntax.CallExpr:
		argv := words(node)
		if len(argv) == 0 {
			break
		}
		t.calls = append(t.calls, argv)
		if program, ok := asksFor(argv); ok {
			t.asked = append(t.asked, program)
		}
		t.sources = t.sources || argv[0] == "." || argv[0] == "source"
	}
	return true
}

// words returns the words of a command in a shell script.
func words(call *syntax.CallExpr) (argv []string) {
	for _, word := range call.Args {
		argv = append(argv, literal(word))
	}
	return argv
}

// asksFor returns the program that a command looks for with `command -v` or `command -V`.
func asksFor(argv []string) (program string, ok bool) {
	if len(argv) == 3 && argv[0] == "command" && (argv[1] == "-v" || argv[1] == "-V") {
		return argv[2], true
	}
	return "", false
}

// literal is the value of a word without its quotes, or unread if only the running shell knows it.
func literal(word *syntax.Word) string {
	known := true
	syntax.Walk(word, func(node syntax.Node) bool {
		switch node.(type) {
		case *syntax.ParamExp, *syntax.CmdSubst, *syntax.ArithmExp, *syntax.ProcSubst, *syntax.ExtGlob:
			known = false
		}
		return known
	})
	if !known {
		return unread
	}
	fields, err := expand.Fields(&expand.Config{}, word) // not nil: that is a global configuration with shared buffers
	if err != nil || len(fields) != 1 {
		return unread
	}
	return fields[0]
}

// call adds what a command of a shell script starts. Some of the shell's builtins start programs.
func (s *reader) call(argv []string) {
	name, rest := argv[0], argv[1:]
	switch {
	case name == "exec" || name == "command":
		for len(rest) > 0 && strings.HasPrefix(rest[0], "-") {
			if rest[0] == "-v" || rest[0] == "-V" {
				return
			}
			if rest[0] == "-a" && len(rest) > 1 {
				rest = rest[1:]
			}
			rest = rest[1:]
		}
		if len(rest) > 0 {
			s.call(rest)
		}
	case name == "eval":
		text := strings.Join(rest, " ")
		if strings.Contains(text, unread) {
			s.hide(name + " " + text)
		}
		s.shell(text)
	case name == "." || name == "source":
		s.hide(strings.Join(argv, " "))
	case name == "trap" && len(rest) > 1 && rest[0] != "-":
		s.shell(rest[0])
	case interp.IsBuiltin(name):
	default:
		s.command(argv)
	}
}
