package sheet

import (
	_ "embed"
	"html/template"
	"regexp"
	"strings"
	"sync"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/renderer"
	"github.com/yuin/goldmark/renderer/html"
	"github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"

	"netnscheck/harness/scenario"
	"netnscheck/harness/sitting"
	"netnscheck/harness/sitting/page"
	"netnscheck/harness/term"
)

//go:embed page.html
var layout string

// parsed is the layout, read when it is first needed: each start of the program would take longer otherwise.
var parsed = sync.OnceValue(func() *template.Template { return template.Must(template.New("sheet").Parse(layout)) })

// sheet is what the layout shows.
type sheet struct {
	Title  string
	Points int
	Steps  []step
	Hints  []step // those of the steps that have some
}

// step is a step with what stands before it; without a title it is what stands after the last one.
type step struct {
	Number int
	Title  string
	Points int
	Before template.HTML
	Prose  template.HTML
	Checks []template.HTML
	Hints  []template.HTML
}

// HTML is the sheet of a scenario as one file that loads nothing. Characters that change how a page looks, such as the
// direction of writing, are visible in it: what is on the paper is what the scenario says.
func HTML(sc *scenario.Scenario, hints bool) (string, error) {
	s := sheet{Title: page.WithValues(sc, sc.Title)}
	worth := sitting.Worth(sc) // what a learner gets for it in a lab, too
	var err error              // of any of the texts
	markdown := func(text string) template.HTML {
		out, wrong := render(text)
		if wrong != nil {
			err = wrong
		}
		return out
	}
	for i, from := range sc.Steps {
		at := page.Step(sc, i, nil)
		one := step{Number: i + 1, Title: page.WithValues(sc, from.Title), Points: worth[i],
			Before: markdown(at.Before), Prose: markdown(at.Prose)}
		for _, c := range from.Checks {
			one.Checks = append(one.Checks, inline(markdown(c.Text)))
		}
		for _, h := range from.Hints {
			one.Hints = append(one.Hints, markdown(page.WithValues(sc, h.Text)))
		}
		s.Points += worth[i]
		s.Steps = append(s.Steps, one)
		if hints && len(one.Hints) > 0 {
			s.Hints = append(s.Hints, one)
		}
	}
	s.Steps = append(s.Steps, step{Before: markdown(page.Step(sc, len(sc.Steps), nil).Before)})
	var b strings.Builder
	if err == nil {
		err = parsed().Execute(&b, s)
	}
	// In a file with the line ends of DOS they are those of the page, too.
	return term.Printable(strings.ReplaceAll(b.String(), "\r\n", "\n")), err
}

// converter makes HTML of Markdown. It passes no HTML of the source through, and no image, which a sheet would load.
var converter = goldmark.New(
	goldmark.WithExtensions(extension.Table, extension.Strikethrough),
	goldmark.WithParserOptions(parser.WithASTTransformers(util.Prioritized(alerts{}, 100))),
	goldmark.WithRendererOptions(renderer.WithNodeRenderers(util.Prioritized(printed{}, 100))),
)

func render(markdown string) (template.HTML, error) {
	var b strings.Builder
	err := converter.Convert([]byte(markdown), &b)
	return template.HTML(b.String()), err // goldmark has escaped the text of the scenario
}

// inline is a paragraph without its tags.
func inline(paragraph template.HTML) template.HTML {
	text := strings.TrimSpace(string(paragraph))
	return template.HTML(strings.TrimSuffix(strings.TrimPrefix(text, "<p>"), "</p>"))
}

// alerts turns the first line of an alert, [!NOTE], into its name.
type alerts struct{}

var alert = regexp.MustCompile(`^\[!([A-Z]+)\]\s*$`)

func (alerts) Transform(doc *ast.Document, from text.Reader, _ parser.Context) {
	source := from.Source()
	for n := doc.FirstChild(); n != nil; n = n.NextSibling() {
		paragraph := n.FirstChild()
		if n.Kind() != ast.KindBlockquote || paragraph == nil || paragraph.Kind() != ast.KindParagraph {
			continue
		}
		segment := paragraph.Lines().At(0)
		m := alert.FindSubmatch(segment.Value(source))
		if m == nil {
			continue
		}
		for c := paragraph.FirstChild(); c != nil; {
			next := c.NextSibling()
			t, ok := c.(*ast.Text)
			if !ok || t.Segment.Start >= segment.Stop {
				break
			}
			paragraph.RemoveChild(paragraph, c)
			c = next
		}
		name := ast.NewEmphasis(2)
		name.AppendChild(name, ast.NewString([]byte(string(m[1][:1])+strings.ToLower(string(m[1][1:]))+". ")))
		paragraph.InsertBefore(paragraph, paragraph.FirstChild(), name)
	}
}

// printed renders what is other on paper: commands stand out in a console block, and of an image its text remains.
type printed struct{}

func (p printed) RegisterFuncs(r renderer.NodeRendererFuncRegisterer) {
	r.Register(ast.KindFencedCodeBlock, p.block)
	r.Register(ast.KindImage, func(util.BufWriter, []byte, ast.Node, bool) (ast.WalkStatus, error) {
		return ast.WalkContinue, nil
	})
}

func (printed) block(w util.BufWriter, source []byte, n ast.Node, entering bool) (ast.WalkStatus, error) {
	if !entering {
		_, err := w.WriteString("</pre>\n")
		return ast.WalkContinue, err
	}
	block := n.(*ast.FencedCodeBlock)
	w.WriteString("<pre>")
	for i := range block.Lines().Len() {
		segment := block.Lines().At(i)
		line := segment.Value(source)
		command := string(block.Language(source)) == "console" && strings.HasPrefix(string(line), "$ ")
		if command {
			w.WriteString("<b>")
		}
		html.DefaultWriter.RawWrite(w, line)
		if command {
			w.WriteString("</b>")
		}
	}
	return ast.WalkSkipChildren, nil
}
