package compare

import (
	"fmt"
	"strings"

	"netnscheck/harness/term"
)

// mostRows is how many cases and suites of a kind are named: a job summary of GitHub has room for 1 MiB.
const mostRows = 200

// Markdown is the comparison as GitHub and GitLab show it.
func (c *Comparison) Markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, "### %s\n\n", capital(c.Verdict()))
	fmt.Fprintf(&b, "- old: %s\n- new: %s\n", escape(c.Old.words()), escape(c.New.words()))
	for _, f := range c.Properties {
		fmt.Fprintf(&b, "- %s: %s → %s\n", escape(f.Name), escape(f.was()), escape(f.is()))
	}
	for _, line := range c.Time.words() {
		line, inner := strings.CutPrefix(line, "  ")
		if inner {
			b.WriteString("  ")
		}
		fmt.Fprintf(&b, "- %s\n", escape(line))
	}
	for _, kind := range Kinds {
		all := c.Of(kind)
		if len(all) == 0 {
			continue
		}
		fmt.Fprintf(&b, "\n#### %s (%d)\n\n| cases | |\n|---|---|\n", capital(string(kind)), len(all))
		groups, more := alike(all, c.sizes, mostRows)
		for _, g := range groups {
			for i := range g.names {
				g.names[i] = escape(g.names[i])
			}
			fmt.Fprintf(&b, "| %s | %s |\n", strings.Join(g.names, "<br>"), escape(g.said))
		}
		if more > 0 {
			fmt.Fprintf(&b, "| %d more | |\n", more)
		}
	}
	return b.String()
}

func capital(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

// escape makes a line harmless in Markdown: a backslash before ASCII punctuation that has a meaning there is that
// punctuation (CommonMark 0.31, 2.4).
func escape(s string) string {
	var b strings.Builder
	for _, r := range term.OneLine(s) {
		if strings.ContainsRune("\\`*_[]<>|&#~$@!", r) {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return b.String()
}
