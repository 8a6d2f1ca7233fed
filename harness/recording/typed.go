package recording

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"

	"netnscheck/harness/scenario"
)

// Typed reads what was typed in a shell, in the shell of a namespace if netns is not "". A scenario runs each command
// by itself and without a shell, so one that needs a shell is called by one. What only means something in the shell in
// which it was typed is an error.
func Typed(text, netns string) (Line, error) {
	text = strings.TrimSpace(text)
	switch {
	case text == "exit", text == "logout", entersShell.MatchString(text):
		return Line{}, nil
	case text == "", strings.HasPrefix(text, "#"):
		return ReadLine(text)
	}
	name, err := shellFor(text)
	if err != nil {
		return Line{}, err
	}
	if name != "" {
		text = name + " -c " + quoted(text)
	}
	if netns != "" {
		text = "ip netns exec " + netns + " " + text
	}
	return ReadLine(text)
}

// entersShell finds the beginning of a shell in which more is typed.
var entersShell = regexp.MustCompile(`^(sudo +)?(ip +netns +exec +\S+ +)?(bash|zsh|sh)( +-[il])*$`)

// shellFor is the shell that a command line needs, "" if it needs none.
func shellFor(text string) (name string, err error) {
	file, err := syntax.NewParser(syntax.Variant(syntax.LangPOSIX)).Parse(strings.NewReader(text), "")
	name = "sh"
	if err != nil || ofBash(text) {
		name = "bash"
		if file, err = syntax.NewParser().Parse(strings.NewReader(text), ""); err != nil {
			return "", fmt.Errorf("it is not understood: %w", err)
		}
	}
	if err := ofThisShell(file); err != nil {
		return "", err
	}
	if _, err := scenario.Words(text); err == nil && plain(file) {
		return "", nil
	}
	return name, nil
}

// ofBash reports whether a line may have what means something else to other shells, such as {1..3}.
func ofBash(text string) bool {
	return strings.Contains(text, "[[") || strings.Contains(text, "{") && strings.ContainsAny(text, ",.")
}

// ofThisShell is the error if a line changes nothing but its shell, or reads what only its shell has.
func ofThisShell(file *syntax.File) (err error) {
	var set []string
	syntax.Walk(file, func(n syntax.Node) bool {
		switch n := n.(type) {
		case *syntax.Assign:
			if n.Name != nil {
				set = append(set, n.Name.Value)
			}
		case *syntax.WordIter:
			set = append(set, n.Name.Value)
		case *syntax.CallExpr:
			if len(n.Args) > 1 && n.Args[0].Lit() == "read" {
				for _, w := range n.Args[1:] {
					set = append(set, w.Lit())
				}
			}
		}
		return true
	})
	syntax.Walk(file, func(n syntax.Node) bool {
		if p, ok := n.(*syntax.ParamExp); ok && err == nil && p.Param != nil && !slices.Contains(set, p.Param.Value) {
			err = fmt.Errorf("$%s is of your shell: write its value", p.Param.Value)
		}
		return err == nil
	})
	alone := len(file.Stmts) > 0 && !slices.ContainsFunc(file.Stmts, func(s *syntax.Stmt) bool {
		switch c := s.Cmd.(type) {
		case *syntax.FuncDecl, *syntax.DeclClause:
			return false
		case *syntax.CallExpr:
			return len(c.Args) > 0 && !slices.Contains(inside, c.Args[0].Lit())
		}
		return true
	})
	if err == nil && alone {
		err = errors.New("it changes your shell alone")
	}
	return err
}

// inside are commands that mean something only for the shell in which they run.
var inside = []string{"alias", "bg", "bind", "cd", "declare", "disown", "exec", "export", "fg", "hash", "history",
	"jobs",
	"local", "popd", "pushd", "readonly", "set", "shopt", "source", ".", "trap", "type", "typeset", "umask", "unalias",
	"unset", "wait"}

// plain reports whether a line is one command whose words mean the same without a shell.
func plain(file *syntax.File) bool {
	if len(file.Stmts) != 1 {
		return false
	}
	s := file.Stmts[0]
	call, ok := s.Cmd.(*syntax.CallExpr)
	if !ok || s.Negated || s.Background || s.Coprocess || len(s.Redirs)+len(call.Assigns)+len(s.Comments) > 0 {
		return false
	}
	for _, w := range call.Args {
		if !literal(w.Parts, false) {
			return false
		}
	}
	return true
}

func literal(parts []syntax.WordPart, quotes bool) bool {
	for _, p := range parts {
		switch p := p.(type) {
		case *syntax.Lit:
			if !quotes && strings.ContainsAny(p.Value, "*?[{~") {
				return false
			}
		case *syntax.SglQuoted:
			if p.Dollar {
				return false
			}
		case *syntax.DblQuoted:
			if p.Dollar || !literal(p.Parts, true) {
				return false
			}
		default:
			return false
		}
	}
	return true
}

// quoted is a text as one word of a scenario's command.
func quoted(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }

// Script are lines as they can be recorded again.
func Script(lines []Line) string {
	var b strings.Builder
	for _, l := range lines {
		switch l.Kind {
		case BeginStep:
			b.WriteString("# step: " + l.Text + "\n")
		case BeginMistake:
			b.WriteString("# mistake: " + l.Text + "\n")
		case BeginFix:
			b.WriteString("# fix\n")
		case Run:
			b.WriteString(l.Text + "\n")
		}
	}
	return b.String()
}
