// Package strictyaml reads YAML that people write: known keys alone, words as they are written, and every problem with
// its file, its line and the nearest right word. It is pure; packages that read a file of this project's own may import
// it.
package strictyaml

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"netnscheck/harness/nearest"
)

// Reader reads a file and collects its problems.
type Reader struct {
	file string
	errs []error
}

// Node is a value in a file.
type Node = ast.Node

// Parse parses the text of a file of this name. read is called for the body of each document that has one.
func Parse(file string, text []byte, read func(*Reader, Node)) error {
	parsed, err := parser.ParseBytes(text, 0)
	var syntax *yaml.SyntaxError
	switch {
	case errors.As(err, &syntax) && syntax.Token != nil && syntax.Token.Position != nil:
		return fmt.Errorf("%s:%d: %s", file, syntax.Token.Position.Line, syntax.Message)
	case err != nil:
		return fmt.Errorf("read %s: %w", file, err)
	}
	r := &Reader{file: file}
	for _, doc := range parsed.Docs {
		if doc.Body != nil && doc.Body.Type() != ast.CommentType {
			read(r, doc.Body)
		}
	}
	return errors.Join(r.errs...)
}

// Good tells whether no problem was found so far.
func (r *Reader) Good() bool { return len(r.errs) == 0 }

// Keys reads a mapping with these keys; example is one of such a mapping.
func (r *Reader) Keys(n Node, example string, known map[string]func(Node)) {
	mapping, ok := n.(*ast.MappingNode)
	if !ok {
		r.Add(n, "expected keys and values, such as %s", example)
		return
	}
	var names []string
	for name := range known {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, v := range mapping.Values {
		key := v.Key.GetToken().Value
		read, ok := known[key]
		if !ok {
			r.Add(v.Key, "there is no key %q%s; the keys are %s", key, nearest.DidYouMean(key, names),
				strings.Join(names, ", "))
			continue
		}
		read(v.Value)
	}
}

// List calls f for each item of a list, or for a single value.
func (r *Reader) List(n Node, expected string, f func(Node)) {
	if list, ok := n.(*ast.SequenceNode); ok {
		for _, item := range list.Values {
			f(item)
		}
		if len(list.Values) == 0 {
			r.Add(n, "expected %s", expected)
		}
		return
	}
	r.Add(n, "expected %s", expected)
}

// Word is the text of a scalar as it is written: 5.10 is no number here.
func (r *Reader) Word(n Node, expected string) string {
	switch n := n.(type) {
	case *ast.StringNode:
		if n.Value != "" {
			return n.Value
		}
	case *ast.IntegerNode, *ast.FloatNode:
		return strings.TrimSpace(n.GetToken().Value)
	}
	r.Add(n, "expected %s", expected)
	return ""
}

// Add adds a problem of a value.
func (r *Reader) Add(n Node, format string, args ...any) {
	r.errs = append(r.errs, fmt.Errorf("%s:%d: %s", r.file, Line(n), fmt.Sprintf(format, args...)))
}

// Line is the line of a value, from 1.
func Line(n Node) int {
	if t := n.GetToken(); t != nil && t.Position != nil {
		return t.Position.Line
	}
	return 1
}
