package scenario

import (
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/text"
)

// FuzzParse parses any text: either the problems have lines of the file, or parsing again gives the same scenario.
func FuzzParse(f *testing.F) {
	files, err := filepath.Glob("testdata/*.md")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		src, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(src)
	}
	for _, s := range []string{"", "---\n---\n# T\n", "---\nhost:\n  interfaces: {a: [10.0.0.1/8]}\n---\n",
		lesson(okStep), "# T\n> [!TIP]\n>\n",
		"1. [ ] `a`\n   ```console\n   $ x\\\n", "## S\n\t- [ ] x\n\n```console fix undo errno=E kernel>=1\n",
		"> > [!TIP]\nlazy\n```", "[x]: y\n- [x] `a`",
		lesson(okStep + "<!-- fail: x\ny -->\n<!-- points: 3 -->\n<!-- prose -->\n> - [ ] x\n"),
		lesson(okStep + "- a\n\n  <!-- prose -->\n  1. [x] b\n\n<pre>\n- [ ] c\n</pre>\n"),
		"---\nvars: {a: [b, 'c{1..3}']}\npoints: 3\n---\n" + lesson(okStep+"> [!NOTE]\n> {{a}}\n\n\t- [ ] x\n")} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		sc, err := Parse("t.md", src)
		if d := ReadDraft("t.md", src, Values{}); (err == nil) != (d.Scenario != nil && d.Cut == 0) {
			t.Errorf("error %v, and the draft is cut at %d", err, d.Cut)
		}
		if err != nil {
			var problems Problems
			if !errors.As(err, &problems) || len(problems) == 0 {
				t.Fatalf("error %T %v", err, err)
			}
			for i, p := range problems {
				if p.Line < 1 || p.Message == "" || i > 0 && p.Line < problems[i-1].Line {
					t.Errorf("problem %+v", p)
				}
			}
			return
		}
		noLostBox(t, sc)
		if sc.Title == "" || len(sc.Steps) == 0 {
			t.Errorf("title %q, %d steps", sc.Title, len(sc.Steps))
		}
		_ = Review(sc)
		again, err := Parse("t.md", []byte(sc.Source))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(dump(sc), dump(again)); diff != "" {
			t.Error(diff)
		}
	})
}

// boxed is a line that begins with a box, behind marks of lists and quotes, and the offset of the box.
var boxed = regexp.MustCompile(`(?m)^[ \t]*(?:(?:[-*+>]|[0-9]+[.)])[ \t]*)*(\[[ xX]\])[ \t]`)

// shielded is a comment that makes prose.
var shielded = regexp.MustCompile(`<!-+\s*prose\s*-+>`)

// noLostBox requires that each box at the beginning of a line is a check, stands in code, in a link or a comment, or is
// shielded. It asks the Markdown parser where the box stands, and nothing of this package.
func noLostBox(t *testing.T, sc *Scenario) {
	source := strings.TrimPrefix(sc.Source, "\ufeff")
	if shielded.MatchString(source) || strings.Contains(source, "\r") || strings.HasPrefix(source, "---") {
		return
	}
	checks := map[int]bool{}
	sections := []*Section{}
	for i := range sc.Steps {
		sections = append(sections, &sc.Steps[i].Section)
		for j := range sc.Steps[i].Mistakes {
			sections = append(sections, &sc.Steps[i].Mistakes[j].Section)
		}
	}
	for _, s := range sections {
		for _, c := range s.Checks {
			checks[c.Line] = true
		}
	}
	root := goldmark.DefaultParser().Parse(text.NewReader([]byte(source)))
	for _, at := range boxed.FindAllStringSubmatchIndex(source, -1) {
		line := 1 + strings.Count(source[:at[2]], "\n")
		if !checks[line] && !inCode(root, at[2]) {
			t.Errorf("line %d is no check and no error:\n%s", line, source)
		}
	}
}

// inCode reports whether an offset lies in a fenced block, in HTML, in a code span or a link.
func inCode(root ast.Node, offset int) (found bool) {
	_ = ast.Walk(root, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			return ast.WalkContinue, nil
		}
		switch n := n.(type) {
		case *ast.FencedCodeBlock, *ast.HTMLBlock:
			for i := range n.Lines().Len() {
				s := n.Lines().At(i)
				found = found || s.Start <= offset && offset < s.Stop
			}
			if html, ok := n.(*ast.HTMLBlock); ok && html.HasClosure() {
				found = found || html.ClosureLine.Start <= offset && offset < html.ClosureLine.Stop
			}
		case *ast.CodeSpan, *ast.Link, *ast.Image, *ast.RawHTML, *ast.LinkReferenceDefinition:
			found = found || covers(n, offset)
		}
		return ast.WalkContinue, nil
	})
	return found
}

// covers reports whether the text of an inline node is around an offset.
func covers(n ast.Node, offset int) (found bool) {
	_ = ast.Walk(n, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if t, ok := n.(*ast.Text); ok && entering {
			found = found || t.Segment.Start-1 <= offset && offset <= t.Segment.Stop
		}
		return ast.WalkContinue, nil
	})
	return found || n.Pos() >= 0 && offset == n.Pos()
}

// TestNoLostBox puts texts together from lines that begin and end blocks of Markdown.
func TestNoLostBox(t *testing.T) {
	random := rand.New(rand.NewPCG(7, 7))
	one := func(of ...string) string { return of[random.IntN(len(of))] }
	good := 0
	for range 2_000 {
		lines := []string{"# T", "## S", "- [x] namespace `b` exists"}
		for range 1 + random.IntN(6) {
			lines = append(lines, one("", "", "", " ", "    ", "\t", "> ", "- ", "1. ", "  ", "> > ", "> - ", "\\")+
				one("", "", "words", "- [ ] namespace `a` exists", "[ ] words", "* [x] namespace `a` exists",
					"1. [X] namespace `a` exists", "- words", "```", "~~~", "```text", "`code", "more`", "<div>",
					"</div>",
					"<pre>", "</pre>", "<!-- words -->", "<!--", "-->", "---", "===", "#### H", "## P", "[x]: words",
					"<a href='x'>", "[words", "](words)", "![", "> [!NOTE]", "> [!TIP]", "***"))
		}
		sc, err := Parse("t.md", []byte(strings.Join(lines, "\n")+"\n"))
		if err == nil {
			noLostBox(t, sc)
			good++
		}
	}
	if good < 100 {
		t.Errorf("only %d of the texts are scenarios", good)
	}
}
