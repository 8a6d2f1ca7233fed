package specrun

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/onsi/ginkgo/v2/types"
)

// Filter selects cases: the zero value all. It is asked once of each, when a run is planned.
type Filter struct {
	labels types.LabelFilter
	focus  *regexp.Regexp
}

// ParseFilter reads a label filter, in Ginkgo's syntax, and a regular expression for the texts of a spec; "" selects all.
func ParseFilter(labels, focus string) (f Filter, err error) {
	if f.labels, err = types.ParseLabelFilter(labels); err != nil {
		return f, fmt.Errorf("read --label-filter %q: %s", labels, firstLine(err.Error()))
	}
	if f.focus, err = regexp.Compile(focus); err != nil {
		return f, fmt.Errorf("read --focus %q: %w", focus, err)
	}
	return f, nil
}

func firstLine(s string) string {
	for line := range strings.Lines(s) {
		if line = strings.TrimSpace(line); line != "" {
			return line
		}
	}
	return s
}

// selects says what Ginkgo would of a spec with these texts and labels. It puts the description of the suite, of which
// there is none here, before the texts.
func (f Filter) selects(texts, labels []string) bool {
	return (f.labels == nil || f.labels(labels)) &&
		(f.focus == nil || f.focus.MatchString(" "+strings.Join(texts, " ")))
}
