package lab

import (
	"fmt"

	"netnscheck/harness/scenario"
)

// mostOutput is how much of the output of a section's commands a report has, and mostOfOne how much of that of one
// command, in bytes. The rest is cut out of the middle.
const (
	mostOutput = 64 << 10
	mostOfOne  = 15 << 10
)

// boundOutput cuts the outputs of a section: those of one command that are too long, and then all that are longer than
// the longest that lets the sum fit.
func boundOutput(transcript []scenario.Exchange) {
	whole := make([]string, len(transcript))
	for i, x := range transcript {
		whole[i] = x.Output
	}
	for each, total := mostOfOne, mostOutput+1; total > mostOutput && each > 0; each /= 2 {
		total = 0
		for i, output := range whole {
			transcript[i].Output = cutMiddle(output, each)
			total += len(transcript[i].Output)
		}
	}
}

// cutMiddle leaves out the middle of a text that is longer than most bytes, and says how much that is.
func cutMiddle(text string, most int) string {
	if len(text) <= most {
		return text
	}
	half := max(most/2-64, 0)
	return fmt.Sprintf("%s\n… %d of %d bytes left out …\n%s", text[:half], len(text)-2*half, len(text),
		text[len(text)-half:])
}
