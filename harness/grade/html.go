package grade

import (
	_ "embed"
	"html/template"
	"strings"
	"sync"

	"netnscheck/harness/term"
)

//go:embed class.html
var layout string

// parsed is the template, read when it is first needed: each start of the program would take longer otherwise.
var parsed = sync.OnceValue(func() *template.Template {
	return template.Must(template.New("class").Funcs(template.FuncMap{
		"line":    term.OneLine,
		"text":    term.Printable,
		"outcome": func(l Learner) string { return l.outcome() },
		"remarks": func(l Learner) string { return l.remarks() },
		"wrong":   func(c *Class) []Learner { return c.wrong() },
		"number":  func(i int) int { return i + 1 },
		"about":   func(c *Class) string { return c.about() },
		"percent": func(part, of int) int { return part * 100 / max(of, 1) },
		"graded":  func(c *Class) int { return c.Count(Graded) },
	}).Parse(layout))
})

// HTML is the table as a page to read and to print. It is complete: it loads nothing and runs nothing.
func (c *Class) HTML() (string, error) {
	var b strings.Builder
	err := parsed().Execute(&b, c)
	return b.String(), err
}
