package sheet

import (
	"fmt"
	"maps"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"netnscheck/harness/scenario"
	"netnscheck/harness/sitting"
	"netnscheck/harness/term"
	"netnscheck/scenarios"
)

// elements counts the elements of a page, and collects what it would load.
func elements(t *testing.T, page string) (count map[string]int, loads []string) {
	t.Helper()
	root, err := html.Parse(strings.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	count = map[string]int{}
	for n := range root.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		count[n.Data]++
		for _, a := range n.Attr {
			if a.Key == "src" || a.Key == "style" || strings.HasPrefix(a.Key, "on") ||
				a.Key == "href" && strings.HasPrefix(strings.ToLower(a.Val), "javascript:") {
				loads = append(loads, a.Key+"="+a.Val)
			}
		}
	}
	return count, loads
}

func TestHTML(t *testing.T) {
	const source = `---
kind: challenge
points: 3
---
# Title & ` + "`code`" + ` <script>alert(1)</script>

Text <b onclick="x()">raw</b> ![a picture](https://example.org/x.png) [a link](javascript:alert(2))

> [!NOTE]
> Read this.

` + "```text\n</pre><script>alert(3)</script>\n```" + `

## Setup

` + "```console\n$ ip netns add hidden\n```" + `

## Do <it>

<!-- points: 3 -->
` + "```console\n$ ip netns add solution\n```" + `

- [ ] namespace ` + "`solution`" + ` exists
<!-- fail: not told -->
- [x] namespace ` + "`hidden`" + ` exists

> [!TIP]
> The only hint.

### Mistake: not printed

` + "```console\n$ ip netns add solution\n$ ip netns add solution\n[1]\n```" + `
`
	sc, err := scenario.Parse("t.md", []byte(source))
	if err != nil {
		t.Fatal(err)
	}
	with, err := HTML(sc, true)
	if err != nil {
		t.Fatal(err)
	}
	count, loads := elements(t, with)
	if count["script"]+count["img"]+count["b"] > 0 || len(loads) > 0 {
		t.Errorf("%v %q\n%s", count, loads, with)
	}
	for _, want := range []string{"<h1>Title &amp; code &lt;script&gt;", "<strong>Note. </strong>Read this.",
		"a picture",
		"&lt;/pre&gt;&lt;script&gt;", `Points (of 3)`, "___ of 3", "<li>namespace <code>solution</code> exists</li>",
		"<li>namespace <code>hidden</code> exists</li>", "The only hint."} {
		if !strings.Contains(with, want) {
			t.Errorf("it lacks %s\n%s", want, with)
		}
	}
	without, err := HTML(sc, false)
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"ip netns add", "not told", "not printed", "Setup", "[x]"} {
		if strings.Contains(with, text) {
			t.Errorf("it has %q", text)
		}
	}
	if strings.Contains(without, "only hint") || strings.Contains(without, "Hints") {
		t.Errorf("it has hints\n%s", without)
	}
}

// TestHostileText: whatever a scenario from elsewhere is called and says, the page has the same elements, loads
// nothing, and shows what is there: characters that turn the direction of writing, or that nobody sees, are visible.
func TestHostileText(t *testing.T) {
	page := func(evil string) string {
		inCode := strings.NewReplacer("`", "", "\n", " ").Replace(evil)
		sc, err := scenario.Parse("t.md",
			[]byte("---\nvars:\n  v: '</h2><script>x</script>'\n---\n# T "+evil+" {{v}}\n\nProse "+
				evil+" {{v}}\n\n## S "+evil+"\n\n```console\n$ ip link add a type dummy\n"+inCode+"\n```\n\n"+
				"- [ ] namespace `a` exists\n\n> [!TIP]\n> Hint "+evil+"\n"))
		if err != nil {
			t.Fatalf("%q: %v", evil, err)
		}
		text, err := HTML(sc, true)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	plain, _ := elements(t, page("text"))
	for _, evil := range []string{"\u202ea", "a\u200bb", "\x1b[2J", "\u0085", "a\rb", "&#8238;a", "&#x1b;[2J",
		"<script>x()</script>",
		"<b onclick=x()>", "</style></title><script>", "&lt;script&gt;", "<!-- x -->", "{{.Title}}",
		"\"><img src=x onerror=x()>"} {
		text := page(evil)
		count, loads := elements(t, text)
		if !maps.Equal(count, plain) || len(loads) > 0 {
			t.Errorf("%q: %v, not %v; it loads %q", evil, count, plain, loads)
		}
		for _, r := range text {
			if r != '\n' && !term.Safe(r) {
				t.Errorf("%q: it has %U", evil, r)
				break
			}
		}
	}
}

// TestTheCatalogue: each sheet has all checks as boxes, loads nothing, and that of a challenge has no command.
func TestTheCatalogue(t *testing.T) {
	all, err := scenarios.All()
	if err != nil {
		t.Fatal(err)
	}
	for _, sc := range all {
		page, err := HTML(sc, true)
		if err != nil {
			t.Fatalf("%s: %v", sc.ID, err)
		}
		boxes := 0
		for _, s := range sc.Steps {
			boxes += len(s.Checks)
		}
		points := 0
		for _, worth := range sitting.Worth(sc) {
			points += worth
		}
		if !strings.Contains(page, fmt.Sprintf("Points (of %d)", points)) {
			t.Errorf("%s: it does not say that there are %d points", sc.ID, points)
		}
		count, loads := elements(t, page)
		if len(loads) > 0 || count["script"] > 0 || count["li"] < boxes || count["h2"] < len(sc.Steps) ||
			strings.Contains(page, "[!") && strings.Contains(page, "<blockquote>\n<p>[!") {
			t.Errorf("%s: %v, %q", sc.ID, count, loads)
		}
		if sc.Kind == scenario.Challenge && count["b"] > 0 {
			t.Errorf("%s shows commands", sc.ID)
		}
	}
}
