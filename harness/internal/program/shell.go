package program

import (
	"slices"
	"strings"

	"mvdan.cc/sh/v3/expand"
	"mvdan.cc/sh/v3/interp"
	"mvdan.cc/sh/v3/syntax"
)

// shells are the programs to which -c gives a text to carry out. busybox's own is not one of them: what it starts is in
// busybox.
var shells = []string{"sh", "dash", "ash", "bash", "ksh", "mksh", "zsh"}

// shellText is the text that the words of a shell give it to carry out.
func shellText(argv []string) (text string, ok bool) {
	for i := 0; i < len(argv); i++ {
		word := argv[i]
		if len(word) < 2 || word[0] != '-' && word[0] != '+' {
			return word, ok // without -c a file, or the standard input
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

// shell adds the programs that a shell text starts, wherever in it they stand. Of a text that sets PATH nothing is
// known, and neither of one that is no shell text: the shell will say so.
func (s *starts) shell(text string) {
	file, err := syntax.NewParser(syntax.Variant(syntax.LangBash)).Parse(strings.NewReader(text), "")
	if err != nil {
		return
	}
	t := shellScript{}
	syntax.Walk(file, t.visit)
	if t.setsPath {
		return
	}
	found := starts{}
	for _, argv := range t.calls {
		if name := argv[0]; !slices.Contains(t.functions, name) {
			found.call(argv)
		}
	}
	for _, name := range found.programs {
		if slices.Contains(t.asked, name) || t.sources && Package(name) == "" {
			continue
		}
		s.add(name)
	}
}

// shellScript is what of a shell text tells which programs it starts.
type shellScript struct {
	calls     [][]string // the words of its commands
	functions []string   // defined in it
	asked     []string   // the programs of which it asks whether they are there
	setsPath  bool
	sources   bool // another file, which may define functions
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
			if program, ok := asksFor(words(call)); ok { // where it is, to do something with it
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

// words are those of a command of a shell text.
func words(call *syntax.CallExpr) (argv []string) {
	for _, word := range call.Args {
		argv = append(argv, literal(word))
	}
	return argv
}

// asksFor is the program of which a command asks whether it is there, or where.
func asksFor(argv []string) (program string, ok bool) {
	if len(argv) == 3 && argv[0] == "command" && (argv[1] == "-v" || argv[1] == "-V") {
		return argv[2], true
	}
	return "", false
}

// literal is the value of a word, quotes taken away, or unread where it is known only to the shell that runs.
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
	fields, err := expand.Fields(&expand.Config{}, word) // nil is one configuration for all, and its buffers are shared
	if err != nil || len(fields) != 1 {
		return unread
	}
	return fields[0]
}

// call adds what a command of a shell text starts. Of the shell's own commands a few start others.
func (s *starts) call(argv []string) {
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
		s.shell(strings.Join(rest, " "))
	case name == "trap" && len(rest) > 1 && rest[0] != "-":
		s.shell(rest[0])
	case interp.IsBuiltin(name):
	default:
		s.command(argv)
	}
}
