package scenario

import (
	"os"
	"strings"
	"testing"
)

// TestNearMisses: what looks like a part of the language and is none is told with its line and the right form. Each
// is prose with the comment on the line before, and an error with it if it was prose anyway.
func TestNearMisses(t *testing.T) {
	const sentence = "namespace `a` exists"
	for name, c := range map[string]struct{ src, want string }{
		// Checks.
		"nested": {"- prose\n  - [ ] " + sentence,
			"5: a check is written “- [ ] namespace `a` exists” at the"},
		"nested below a check": {"- [x] namespace `b` exists\n  - [x] " + sentence,
			"5: a check is written “- [x] nam"},
		"list in a list's line": {"- - [ ] " + sentence,
			"4: a check is written “- [ ] namespace `a` exists” at the start of its line, not in a list;"},
		"quoted": {"> - [x] " + sentence,
			"4: a check is written “- [x] namespace `a` exists” at the start of its line, not in a quote;"},
		"quoted without a marker": {"> words\n> [ ] " + sentence, "5: a check is written “- [ ]"},
		"in a hint":               {"> [!TIP]\n> - [ ] " + sentence, "5: a check is written “- [ ]"},
		"escaped marker":          {"\\- [ ] " + sentence, "4: a check is written “- [ ]"},
		"escaped box":             {"- \\[x\\] " + sentence, "4: a check is written “- [x]"},
		"en dash":                 {"– [ ] " + sentence, "4: a check is written “- [ ]"},
		"em dash without a blank": {"—[X] " + sentence, "4: a check is written “- [x]"},
		"bullet":                  {"• [ ] " + sentence, "4: a check is written “- [ ]"},
		"star without a blank":    {"*[ ] " + sentence, "4: a check is written “- [ ]"},
		"plus without a blank":    {"+[ ] " + sentence, "4: a check is written “- [ ]"},
		"number without a blank":  {"1.[ ] " + sentence, "4: a check is written “- [ ]"},
		"star":                    {"* [ ] " + sentence, "4: a check is written “- [ ] namespace `a` exists” at the"},
		"plus":                    {"+ [x] " + sentence, "4: a check is written “- [x]"},
		"number":                  {"1. [ ] " + sentence, "4: a check is written “- [ ]"},
		"number in brackets":      {"2) [ ] " + sentence, "4: a check is written “- [ ]"},
		"tab behind the marker":   {"-\t[ ] " + sentence, "4: a check is written “- [ ]"},
		"two blanks":              {"-  [ ] " + sentence, "4: a check is written “- [ ]"},
		"indented by two":         {"  - [ ] " + sentence, "4: a check is written “- [ ]"},
		"no marker":               {"[ ] " + sentence, "4: a check is written “- [ ]"},
		"no marker, further down": {"Words.\n[x] " + sentence, "5: a check is written “- [x]"},
		"below a check":           {"- [x] namespace `b` exists\n\n  [ ] " + sentence, "6: a check is written “- [ ]"},
		"joined to a check": {"- [x] namespace `b` exists\n[ ] " + sentence,
			"5: a check is written “- [ ] namespace `a` exists” at the start of its line;"},
		"joined to a check, further down": {"- [x] namespace\n  `b` exists\n  –[x] " + sentence,
			"6: a check is written “- [x] namespace `a` exists” at the start of its line;"},
		"tab":                      {"\t- [ ] " + sentence, "4: a check is written “- [ ]"},
		"indented by four":         {"    - [ ] " + sentence, "4: a check is written “- [ ]"},
		"indented text":            {"Words.\n    - [ ] " + sentence, "5: a check is written “- [ ]"},
		"no-break space":           {"-\u00a0[\u00a0] " + sentence, "4: a check is written “- [ ]"},
		"no-break entity":          {"- [&nbsp;] " + sentence, "4: a check is written “- [ ]"},
		"empty box":                {"- [] " + sentence, "4: a check is written “- [ ]"},
		"colon":                    {"- [ ]: " + sentence, "4: a check is written “- [ ] namespace `a` exists”"},
		"check mark":               {"- [✓] " + sentence, "4: a check is written “- [x]"},
		"no sentence":              {"- [x]", "4: a check is written “- [x] …”"},
		"emphasis":                 {"**[ ]** " + sentence, "4: a check is written “- [ ]"},
		"heading":                  {"#### [ ] " + sentence, "4: a check is written “- [ ]"},
		"in an underlined heading": {"> words\n> [x] " + sentence + "\n> ---", "5: a check is written “- [x]"},
		"in HTML":                  {"<details>\n- [ ] " + sentence + "\n</details>", "5: a check is written “- [ ]"},
		"behind a comment":         {"<!-- words --> - [ ] " + sentence, "4: a check is written “- [ ]"},
		"in a list item's heading": {"- # [ ] " + sentence, "4: a check is written “- [ ]"},

		// Console blocks.
		"upper case": {"```Console\n$ true\n```",
			"4: a console block begins with ```console and a blank, found ```Console;"},
		"misspelt":               {"```consol iproute2\n$ true\n```", "4: a console block begins with"},
		"misspelt without a $":   {"```conosle\ntrue\n```", "4: a console block begins with"},
		"braces":                 {"```{.console}\n$ true\n```", "4: a console block begins with"},
		"colon behind console":   {"```console: iproute2\n$ true\n```", "4: a console block begins with"},
		"comma":                  {"```console,iproute2\n$ true\n```", "4: a console block begins with"},
		"console as second word": {"```iproute2 console\ntrue\n```", "4: a console block begins with"},
		"no info string": {"```\nwords\n$ true\n```",
			"4: the block has a command in line 6: expected ```console, found ```;"},
		"bash": {"```bash\n$ true\n```",
			"4: the block has a command in line 5: expected ```console, found ```bash;"},
		"text, indented":        {"~~~text\n  $ true\n~~~", "4: the block has a command in line 5"},
		"indented code":         {"    $ true", "4: a line that begins with \"$ \""},
		"block without a fence": {"$ ip link", "4: a line that begins with \"$ \""},
		"two marks": {"``console\nip link\n``",
			"4: a console block begins with a line ```console, found ``console"},
		"block in a quote": {"> ```console\n> $ true\n> ```", "4: a console block in a quote is not played"},
		"bash in a list":   {"- words\n\n  ```bash\n  $ true\n  ```", "6: the block has a command in line 7"},
		"console block below HTML": {"<details>\n```console\n$ true\n```\n</details>",
			"5: the line is part of the HTML"},

		// Headings.
		"step without a blank": {"##Step", "4: a heading is written ## Step, with a blank"},
		"mistake without a blank": {"- [x] namespace `b` exists\n\n###Mistake: x",
			"6: a heading is written ### Mistake: x, with a blank"},
		"no-break space behind #":      {"##\u00a0Step", "4: a heading is written ## Step, with a blank"},
		"joined to a check, a heading": {"- [x] namespace `b` exists\n##Step", "5: a heading is written ## Step, with"},
		"escaped":                      {"\\## Step", "4: a heading is written ## Step"},
		"indented heading":             {"Words.\n    ## Step", "5: a heading is written ## Step"},
		"set up":                       {"## Set up", "4: the set-up is written ## Setup, found ## Set up;"},
		"upper case set-up":            {"## SETUP", "4: the set-up is written ## Setup, found ## SETUP;"},
		"set-up with a colon":          {"## Setup:", "4: the set-up is written ## Setup"},
		"set-up with a title":          {"## Set-up: two namespaces", "4: the set-up is written ## Setup"},
		"set-up of level 3":            {"### Setup", "4: the set-up is written ## Setup, found ### Setup;"},
		"set-up misspelt":              {"## Stup", "4: the set-up is written ## Setup"},
		"mistake of level 2": {"## Mistake: x",
			"4: a mistake is written ### Mistake: …, found ## Mistake: x;"},
		"lower case":         {"### mistake: x", "4: a mistake is written ### Mistake: …, found ### mistake: x;"},
		"plural":             {"### Mistakes: x", "4: a mistake is written"},
		"no colon":           {"### Mistake", "4: a mistake is written"},
		"no colon, title":    {"### Mistake a typo", "4: a mistake is written"},
		"article":            {"### A mistake: x", "4: a mistake is written"},
		"dash":               {"### Mistake – x", "4: a mistake is written"},
		"wide colon":         {"### Mistake：x", "4: a mistake is written"},
		"mistake in a quote": {"> ### Mistake: x", "4: the heading stands in a quote: expected ### Mistake: x at"},
		"set-up in a list":   {"- ## Setup", "4: the heading stands in a list: expected ## Setup at"},
		"mistake as code": {"    ### Mistake: x",
			"4: the heading is indented like code: expected ### Mistake: x"},
		"step in HTML":       {"<div>\n## Step\n</div>", "5: the line is part of the HTML above it"},
		"front matter below": {"---\nid: x\n---", "5: the front matter stands at the very top"},

		// Alerts.
		"misspelt tip": {"> [!TIPP]\n> x",
			"4: an alert is a quote whose first line is > [!TIP] and nothing else, found [!TIPP];"},
		"unknown alert": {"> [!HINT]\n> x",
			"4: unknown alert [!HINT] (known: TIP, NOTE, IMPORTANT, WARNING, CAUTION);"},
		"text behind it":      {"> [!TIP] x", "4: an alert is a quote"},
		"text behind a note":  {"> [!NOTE] x", "4: an alert is a quote whose first line is > [!NOTE]"},
		"blank inside":        {"> [! TIP]\n> x", "4: an alert is a quote"},
		"escaped alert":       {"> \\[!TIP\\]\n> x", "4: an alert is a quote"},
		"not closed":          {"> [!TIP\n> x", "4: an alert is a quote"},
		"no exclamation mark": {"> [TIP]\n> x", "4: an alert is a quote"},
		"tip without a quote": {"[!TIP]\nx", "4: an alert is a quote"},
		"second line":         {"> x\n> [!TIP]\n> y", "5: an alert is a quote"},
		"tip in a list": {"- > [!TIP]\n  > x",
			"4: a hint is a quote of its own: expected > [!TIP] at the start of a line, not in a list"},
		"tip in a quote": {"> > [!TIP]\n> > x", "4: a hint is a quote of its own"},

		// Comments.
		"misspelt prose":  {"<!-- prosa -->", "4: the comment is written <!-- prose -->, found <!-- prosa -->"},
		"prose with more": {"<!-- prose: x -->", "4: the comment is written <!-- prose -->"},
		"capital":         {"<!-- Prose -->", "4: the comment is written <!-- prose -->"},
		"dashes":          {"<!--- prosa --->", "4: the comment is written <!-- prose -->"},
		"one dash":        {"<!- fail: x ->", "4: a comment is written between <!-- and -->, found <!- fail: x ->"},
		"em dashes":       {"<!— prose —>", "4: a comment is written between <!-- and -->"},
		"misspelt fail": {"<!-- fial: x -->",
			"4: the comment is written <!-- fail: words -->, found <!-- fial: x -->"},
		"no words":        {"<!-- fail: -->", "4: the comment is written <!-- fail: words -->"},
		"no colon in it":  {"<!-- fail x -->", "4: the comment is written <!-- fail: words -->"},
		"misspelt points": {"<!-- point: 3 -->", "4: the comment is written <!-- points: 3 -->"},
		"points alone":    {"<!-- points 3 -->", "4: the comment is written <!-- points: 3 -->"},
	} {
		t.Run(name, func(t *testing.T) {
			src := "# T\n\n## S\n" + c.src + "\n\n" + okStep
			_, err := Parse("t.md", []byte(src))
			compareProblems(t, err, "t.md", []string{c.want})

			// Shielded on the line that the message names, or where the block begins.
			lines := strings.Split(src, "\n")
			for _, at := range []int{3, lineOf(c.want) - 1} {
				indent := lines[at][:len(lines[at])-len(strings.TrimLeft(lines[at], "> "))]
				if strings.HasPrefix(indent, "    ") {
					indent = "" // before code
				}
				shielded := strings.Join(lines[:at], "\n") + "\n" + indent + proseComment + "\n" +
					strings.Join(lines[at:], "\n")
				if _, err = Parse("t.md", []byte(shielded)); err == nil {
					return
				}
			}
			t.Errorf("the comment does not make it prose: %v", err)
		})
	}
}

// lineOf is the line of a wanted problem.
func lineOf(want string) (line int) {
	for _, digit := range strings.SplitN(want, ":", 2)[0] {
		line = 10*line + int(digit-'0')
	}
	return line
}

// TestOrdinaryMarkdown: what lessons have in their prose is no near miss. (The file is no .md: it is not played.)
func TestOrdinaryMarkdown(t *testing.T) {
	src, err := os.ReadFile("testdata/ordinary-markdown.txt")
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"LF": string(src), "CRLF": strings.ReplaceAll(string(src), "\n", "\r\n"),
		"byte order mark": "\ufeff" + string(src),
	} {
		sc, err := Parse("t.md", []byte(text))
		if err != nil || len(sc.Steps) != 1 || len(sc.Steps[0].Checks) != 1 {
			t.Errorf("%s: %v", name, err)
		}
	}
}
