package scenario

import (
	"regexp"
	"slices"
	"strings"
)

var (
	// frontMatterLine is a line of the front matter.
	frontMatterLine = regexp.MustCompile(`^(id|kind|level|requires|host|vars|points)[ \t]*:([ \t]|$)`)
	// nearRule is a line that was probably meant as one of the two lines --- around the front matter.
	nearRule = regexp.MustCompile(`^[ \t]*(-{2,}|[–—]+|\.\.\.|\+{3,}|-{3,}[ \t]*(yaml|yml))[ \t\x{a0}]*$`)
)

const rule = "---"

func isRule(line string) bool { return strings.TrimRight(line, " \t") == rule }

// cutFrontMatter separates the YAML text from the Markdown below it. The front matter becomes empty lines in the
// Markdown, so that line numbers stay the same.
func cutFrontMatter(text string, f *findings) (yamlText, markdown string) {
	lines := strings.Split(text, "\n")
	if !isRule(lines[0]) {
		if line := strayFrontMatter(lines); line > 0 {
			f.add(line, "the front matter begins with a line --- at the very top of the file, found %q", lines[line-1])
		}
		return "", text
	}
	for i, line := range lines[1:] {
		switch {
		case isRule(line):
			return strings.Join(lines[1:i+1], "\n"), strings.Repeat("\n", i+2) + strings.Join(lines[i+2:], "\n")
		case nearRule.MatchString(line):
			f.add(i+2, "the front matter ends with a line ---, found %q", line)
			return "", ""
		}
	}
	f.add(1, "the front matter is not closed: expected a line ---")
	return "", ""
}

// strayFrontMatter is the line in which something begins that was probably meant as front matter, or 0. The file does
// not begin with a line ---.
func strayFrontMatter(lines []string) int {
	at := slices.IndexFunc(lines, func(line string) bool { return strings.TrimSpace(line) != "" })
	if at < 0 {
		return 0
	}
	next := at
	if isRule(lines[at]) || nearRule.MatchString(lines[at]) {
		next++
	}
	for next < len(lines) && strings.TrimSpace(lines[next]) == "" {
		next++
	}
	if next < len(lines) && frontMatterLine.MatchString(lines[next]) {
		return at + 1
	}
	return 0
}
