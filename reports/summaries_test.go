package reports

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"netnscheck/harness/scenario"
)

func TestSummariesGolden(t *testing.T) {
	golden(t, "markdown.golden.md", report(t, "markdown", sample(), all))
	golden(t, "guests-markdown.golden.md", report(t, "markdown", sampleGuests(), all))
	golden(t, "github.golden.txt", report(t, "github", sample(), all))
}

// runOf is a run in which as many cases failed, each with a text of its own.
func runOf(n int, text string) *Run {
	r := &Run{Suites: []Suite{{ID: "many", Driver: "netlink"}}}
	for i := range n {
		r.Suites[0].Cases = append(r.Suites[0].Cases, Case{Name: fmt.Sprint("case ", i), SectionResult: scenario.SectionResult{
			File: "many.md", Line: i + 1, Step: i + 1, Outcome: scenario.Fail,
			Problems: []scenario.Problem{{Line: i + 2, Message: fmt.Sprint(text, " ", i)}},
		}})
	}
	return r
}

// TestMarkdownHasALimit: a summary that is too long for GitHub is cut between two entries, and says how many are gone.
func TestMarkdownHasALimit(t *testing.T) {
	r := runOf(8000, strings.Repeat("x", 200))
	r.Suites = append(r.Suites, sample().Suites...)
	text := report(t, "markdown", r, all)
	if len(text) > summarySize || len(text) < summarySize-1000 {
		t.Errorf("it has %d bytes of %d", len(text), summarySize)
	}
	entries := strings.Count(text, "<details>")
	if entries != strings.Count(text, "</details>") || strings.Count(text, "```")%2 != 0 {
		t.Error("it is cut within an entry")
	}
	want := fmt.Sprintf("\n*%d of 8004 entries about what did not pass have no room here;", 8004-entries)
	if !strings.Contains(text, want) || !strings.Contains(text, "\nSkipped:\n") {
		t.Errorf("it ends with %q, want %q", text[len(text)-600:], want)
	}
	if short := Markdown(r, 4000); len(short) > 4000 || !strings.Contains(short, " have no room here") {
		t.Errorf("with a limit of 4000 it has %d bytes", len(short))
	}
}

// TestMarkdownInjection: no text of a scenario becomes markup, or ends the block that it stands in.
func TestMarkdownInjection(t *testing.T) {
	evil := "</summary>```\n<script>x</script> | [a](http://b) @team #1 **b** `c`\n## heading"
	r := &Run{Suites: []Suite{{ID: evil, Driver: evil, Guest: evil, Cases: []Case{
		{Name: evil, SectionResult: scenario.SectionResult{Outcome: scenario.Fail, Reason: evil, File: evil,
			Transcript: []scenario.Exchange{{Command: evil, Output: evil}}}},
		{Name: evil, SectionResult: scenario.SectionResult{Outcome: scenario.Skip, Reason: evil}},
	}}}, Problems: []string{evil}, Install: evil}
	blocks := regexp.MustCompile("(?s)(````+)text\n.*?\n(````+)\n")
	outside := blocks.ReplaceAllString(report(t, "markdown", r, all), "")
	if strings.Contains(outside, "<script") || strings.Contains(outside, "\n## heading") {
		t.Errorf("there is markup outside of blocks:\n%s", outside)
	}
	for line := range strings.Lines(outside) {
		if strings.HasPrefix(line, "<summary>") {
			continue // within HTML
		}
		if m := regexp.MustCompile("[^\\\\](```|\\]\\(|\\*\\*b)|@team").FindString(line); m != "" {
			t.Errorf("%q is outside of blocks: %s", m, line)
		}
	}
	if n := strings.Count(outside, "</summary>"); n != 1 {
		t.Errorf("%d summaries end:\n%s", n, outside)
	}
}

// TestGitHubAnnotations: each is one command that GitHub's runner reads back, and there are no more than it shows.
func TestGitHubAnnotations(t *testing.T) {
	for n, want := range map[int]int{0: 0, 1: 1, 10: 10, 11: 10, 500: 10} {
		text := annotations(runOf(n, "no"))
		if got := strings.Count(text, "\n"); got != want {
			t.Errorf("%d failures have %d annotations, want %d", n, got, want)
		}
		if left := n - 9; n > 10 && !strings.HasSuffix(text, fmt.Sprintf("::error title=more::%d more did not pass; "+
			"the log and the reports of the run have them\n", left)) {
			t.Errorf("of %d failures it ends with %q", n, text[len(text)-200:])
		}
	}
	r := runOf(1, "50% of it,\nand: ::warning::x\n##[group]")
	c := &r.Suites[0].Cases[0]
	c.File, c.Name = "a,b:c%.md", "title: with, 100%"
	const want = "::error file=a%2Cb%3Ac%25.md,line=2,title=fail%3A many%3A title%3A with%2C 100%25" +
		"::a,b:c%25.md:2: 50%25 of it,%0Aand: ::warning::x%0A##[group] 0\n"
	if got := annotations(r); got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	// what is not bad is no error
	r.Suites[0].Cases[0].Outcome = scenario.XFail
	if got := annotations(r); got != "" {
		t.Errorf("a failure that is expected: %q", got)
	}
}
