// Package transcript reads the two parts of a transcript: the words of a command line, and the lines that a command is
// expected to print. It is pure: it imports nothing of this project, anybody may import it, and it never runs anything.
package transcript

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// Words splits a command line as a POSIX shell does: at blanks, with single and double quotes and the backslash.
// Variables, patterns and command substitutions are ordinary words, since no shell runs the command. Shell operators
// (pipes, redirections, lists, comments) are an error, because their author expected a shell.
//
// The parser of mvdan.cc/sh reads the shell language, which is different: in it `a|b` has an operator and `$(date` is
// unclosed, while here both are words. FuzzWords compares the two on the lines that both accept.
func Words(line string) ([]string, error) {
	var (
		words []string
		word  strings.Builder
		begun bool   // inside a word, perhaps an empty one in quotes
		plain = true // no part of it is quoted
	)
	end := func() error {
		if !begun {
			return nil
		}
		if plain {
			if err := refuseOperator(word.String()); err != nil {
				return err
			}
			if len(words) == 0 && assignment.MatchString(word.String()) {
				return fmt.Errorf("commands are not run by a shell, so %q sets no variable here: write sh -c '…', or "+
					"put env before it", word.String())
			}
		}
		words = append(words, word.String())
		word.Reset()
		begun, plain = false, true
		return nil
	}
	for i := 0; i < len(line); i++ {
		c := line[i]
		switch {
		case c == ' ' || c == '\t' || c == '\n':
			if err := end(); err != nil {
				return nil, err
			}
			continue
		case c == '\'':
			length := strings.IndexByte(line[i+1:], '\'')
			if length < 0 {
				return nil,
					errors.New("a single quote is not closed on the command's line (a trailing \\ continues it)")
			}
			word.WriteString(line[i+1 : i+1+length])
			i += length + 1
			plain = false
		case c == '"':
			length, err := doubleQuoted(line[i+1:], &word)
			if err != nil {
				return nil, err
			}
			i += length
			plain = false
		case c == '\\':
			if i+1 == len(line) {
				return nil, errors.New("nothing follows the \\ at the end")
			}
			i++
			if line[i] == '\n' { // continuation line
				continue
			}
			word.WriteByte(line[i])
			plain = false
		default:
			word.WriteByte(c)
		}
		begun = true
	}
	if err := end(); err != nil {
		return nil, err
	}
	return words, nil
}

// doubleQuoted appends the text up to the closing double quote to word, and returns its length with that quote. A
// backslash is literal except before $, `, ", \ and the end of a line.
func doubleQuoted(rest string, word *strings.Builder) (int, error) {
	for i := 0; i < len(rest); i++ {
		switch c := rest[i]; {
		case c == '"':
			return i + 1, nil
		case c == '\\' && i+1 < len(rest) && strings.IndexByte("$`\"\\\n", rest[i+1]) >= 0:
			i++
			if rest[i] != '\n' {
				word.WriteByte(rest[i])
			}
		default:
			word.WriteByte(c)
		}
	}
	return 0, errors.New("a double quote is not closed on the command's line (a trailing \\ continues it)")
}

var (
	listOperator = regexp.MustCompile(`^(\|\|?|&&?|;;?|\|&)$`)
	redirection  = regexp.MustCompile(`^([0-9]*|&)[<>]`)
	assignment   = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*=`)
)

func refuseOperator(word string) error {
	switch {
	case listOperator.MatchString(word), redirection.MatchString(word):
		return fmt.Errorf("commands are not run by a shell, so %q is no operator here: write sh -c '…', or quote it",
			word)
	case strings.HasPrefix(word, "#"):
		return fmt.Errorf("commands are not run by a shell, so %q begins no comment here: put it into the text, or "+
			"quote it", word)
	}
	return nil
}
