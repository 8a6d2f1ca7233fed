package reports

import (
	"fmt"
	"io"
	"strings"

	"netnscheck/harness/term"
)

// newGitHub is the sink for annotations of GitHub Actions: commands of a workflow, which its runner takes from the
// output of a step and shows at the file and line that they name. It shows ten errors of a step; the last one here says
// how many were left out, so that nobody takes ten for all.
func newGitHub(out io.Writer, _ Options) Sink {
	return atEnd(func(r *Run) error {
		_, err := io.WriteString(out, annotations(r))
		return err
	})
}

// shown is how many errors of a step GitHub shows.
const shown = 10

func annotations(r *Run) string {
	var lines []string
	for _, text := range r.faults() {
		lines = append(lines, command("", 0, "the run", text))
	}
	for _, f := range alike(r, annotation) {
		lines = append(lines, command(f.Case.annotated(f.Suite, f.Case.Evidence)))
	}
	if left := len(lines) - shown; left > 0 {
		text := fmt.Sprintf("%d more did not pass; the log and the reports of the run have them", left+1)
		lines = append(lines[:shown-1], command("", 0, "more", text))
	}
	return strings.Join(lines, "")
}

// annotation is the command for a case that did not pass, "" for others. What several drivers say alike is one.
func annotation(s *Suite, c *Case) string {
	if !bad(c.Outcome) {
		return ""
	}
	return command(c.annotated(s, ""))
}

// annotated is what an annotation says of a case, with the folder of the evidence.
func (c *Case) annotated(s *Suite, evidence string) (file string, line int, title, text string) {
	file, line = c.File, c.Line
	if len(c.Problems) > 0 {
		if p := c.Problems[0]; p.File == "" || p.File == file {
			line = max(p.Line, line)
		}
	}
	if text = c.Describe(); text == "" {
		text = string(c.Outcome)
	}
	if evidence != "" {
		text = strings.TrimSuffix(text, "\n") + "\nevidence in " + evidence
	}
	return file, line, string(c.Outcome) + ": " + s.ID + ": " + c.Name, text
}

// command is a workflow command. In its values a line break would end it, and a comma or a colon a property.
func command(file string, line int, title, text string) string {
	var properties []string
	if file != "" {
		properties = append(properties, "file="+property.Replace(term.OneLine(file)))
		if line > 0 {
			properties = append(properties, fmt.Sprintf("line=%d", line))
		}
	}
	properties = append(properties, "title="+property.Replace(term.Brief(title)))
	text = message.Replace(strings.TrimSuffix(bounded(term.Printable(text)), "\n"))
	return "::error " + strings.Join(properties, ",") + "::" + text + "\n"
}

// The escapes of the values of workflow commands (actions/toolkit, packages/core/src/command.ts).
var (
	message  = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")
	property = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C")
)
