package reports

import (
	"fmt"
	"html"
	"io"
	"strings"

	"netnscheck/harness/scenario"
	"netnscheck/harness/term"
)

// newMarkdown is the sink for the summary of a job: the counts, a table of what each driver did, and what did not pass,
// in the dialect of GitHub and GitLab.
func newMarkdown(out io.Writer, _ Options) Sink {
	return atEnd(func(r *Run) error {
		_, err := io.WriteString(out, Markdown(r, summarySize))
		return err
	})
}

// summarySize is how long the summary of a step may be on GitHub, 1 MiB, in bytes. A longer one is not shown at all.
const summarySize = 1 << 20

// Markdown is a summary of at most this many bytes. What did not fit is counted at its end.
func Markdown(r *Run, limit int) string {
	var b strings.Builder
	c := r.Count()
	verdict := "passed"
	if c.Bad() > 0 || len(r.Problems) > 0 || len(r.Leftovers) > 0 {
		verdict = "failed"
	}
	fmt.Fprintf(&b, "## Network namespaces: %s\n\n%s in %s\n\n", verdict, markdownText(c.String()), duration(r.Duration))
	b.WriteString(markdownMatrix(r))
	for _, text := range r.faults() {
		fmt.Fprintf(&b, "\n**The run itself:** %s\n", markdownText(term.Brief(text)))
	}
	failures := markdownFailures(r)
	tail := markdownTail(r)
	const note = "\n*%d of %d entries about what did not pass have no room here; the other reports have them.*\n"
	room := limit - b.Len() - len(tail) - len(fmt.Sprintf(note, len(failures), len(failures)))
	for i, text := range failures {
		if room -= len(text); room < 0 {
			fmt.Fprintf(&b, note, len(failures)-i, len(failures))
			break
		}
		b.WriteString(text)
	}
	b.WriteString(tail)
	return b.String()
}

// markdownMatrix are the counts of cases by driver, and by guest if there are any.
func markdownMatrix(r *Run) string {
	var b strings.Builder
	b.WriteString("| played by | passed | failed | error | flaky | blocked | not run | skipped | as expected |\n" +
		"|---|--:|--:|--:|--:|--:|--:|--:|--:|\n")
	var order []At
	counts := map[At]*Counts{}
	for i := range r.Suites {
		s := &r.Suites[i]
		at := At{s.Driver, s.Guest}
		if counts[at] == nil {
			counts[at] = &Counts{}
			order = append(order, at)
		}
		counts[at].Add(s.Count())
	}
	for _, at := range order {
		who := at.Driver
		if who == "" {
			who = "suites in Go"
		}
		if at.Guest != "" {
			who += " on " + at.Guest
		}
		c := counts[at]
		fmt.Fprintf(&b, "| %s | %d | %d | %d | %d | %d | %d | %d | %d |\n", markdownText(term.OneLine(who)), c.Pass,
			c.Fail+c.XPass, c.Error, c.Flaky, c.Blocked, c.NotRun, c.Skip, c.XFail)
	}
	return b.String()
}

// markdownFailures are entries for what did not pass. What several drivers say alike is one.
func markdownFailures(r *Run) (entries []string) {
	for _, f := range alike(r, func(_ *Suite, c *Case) string {
		if !bad(c.Outcome) {
			return ""
		}
		return string(c.Outcome) + "\n" + c.Describe()
	}) {
		text := f.Suite.Explain(f.Case)
		if len(f.Case.Transcript) > 0 {
			text += "\n" + bounded(Transcript(f.Case.Transcript))
		}
		entries = append(entries, fmt.Sprintf("\n<details>\n<summary><b>%s</b> %s</summary>\n\n%s\n</details>\n",
			f.Case.Outcome, html.EscapeString(place(f.Suite, f.At, f.Case)), fenced(text)))
	}
	return entries
}

// markdownTail are the skips by their reasons, and how to install what is missing.
func markdownTail(r *Run) string {
	counts := map[string]int{}
	var order []string
	for i := range r.Suites {
		for j := range r.Suites[i].Cases {
			c := &r.Suites[i].Cases[j]
			if c.Outcome != scenario.Skip {
				continue
			}
			why := c.Headline()
			if _, after, ok := strings.Cut(why, ": "); ok && strings.HasPrefix(why, "line ") {
				why = after
			}
			if counts[why]++; counts[why] == 1 {
				order = append(order, why)
			}
		}
	}
	if len(order) == 0 {
		return ""
	}
	var b strings.Builder
	b.WriteString("\nSkipped:\n\n")
	for i, why := range order {
		if i == reasons {
			fmt.Fprintf(&b, "- for %d other reasons\n", len(order)-i)
			break
		}
		fmt.Fprintf(&b, "- %s: %s\n", term.Count(counts[why], "case"), markdownText(why))
	}
	if r.Install != "" {
		fmt.Fprintf(&b, "\nTo play that too, as root:\n\n%s", fenced(term.OneLine(r.Install)))
	}
	return b.String()
}

// reasons is how many reasons for skips are listed.
const reasons = 20

// markdownText is a text that means nothing in Markdown or HTML. Within an element of HTML, Markdown means nothing.
func markdownText(text string) string { return markdownEscapes.Replace(text) }

var markdownEscapes = strings.NewReplacer("\\", "\\\\", "`", "\\`", "*", "\\*", "_", "\\_", "[", "\\[", "]", "\\]",
	"|", "\\|", "#", "\\#", "~", "\\~", "@", "&#64;", "<", "&lt;", ">", "&gt;", "&", "&amp;", "://", ":&#47;/")

// fenced is a block of text with a fence that is longer than any in it.
func fenced(text string) string {
	fence := "```"
	for strings.Contains(text, fence) {
		fence += "`"
	}
	return fence + "text\n" + strings.TrimRight(text, "\n") + "\n" + fence + "\n"
}
