package specrun

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/onsi/ginkgo/v2/types"
)

// Filter selects cases; the zero value selects all. It is evaluated once for each case, when a run is planned.
type Filter struct {
	// Case is the id of the only case that is selected, "" for all.
	Case   string
	labels types.LabelFilter
	focus  *regexp.Regexp
}

// ParseFilter parses a label filter in Ginkgo's syntax and a regular expression for the texts of a spec. "" selects
// all.
func ParseFilter(labels, focus string) (f Filter, err error) {
	if f.labels, err = types.ParseLabelFilter(labels); err != nil {
		return f, fmt.Errorf("read --label-filter %q: %s", labels, labelMistake(labels, err))
	}
	if f.focus, err = regexp.Compile(focus); err != nil {
		return f, fmt.Errorf("read --focus %q: %w", focus, err)
	}
	return f, nil
}

// labelMistake is Ginkgo's error about a label filter in one line, with the position. Ginkgo formats it as a page for a
// terminal and underlines the place.
func labelMistake(filter string, err error) string {
	var page types.GinkgoError
	if !errors.As(err, &page) {
		return err.Error()
	}
	_, what, _ := strings.Cut(page.Message, "\n")
	what = strings.TrimSuffix(strings.TrimSpace(what), ".")
	// Ginkgo finds the place as a number of characters and marks it as a number of bytes: the same in ASCII only.
	_, err = types.ParseLabelFilter(inASCII(filter))
	if !errors.As(err, &page) {
		return what
	}
	before, _, marked := strings.Cut(page.Message, "{{red}}{{bold}}{{underline}}")
	characters := []rune(filter)
	if !marked || len(before) > len(characters) {
		return "at its end: " + what
	}
	return fmt.Sprintf("at character %d, after %q: %s", len(before)+1, string(characters[:len(before)]), what)
}

// inASCII is a filter with a letter in place of each character that is not ASCII.
func inASCII(filter string) string {
	return strings.Map(func(r rune) rune {
		if r < utf8.RuneSelf {
			return r
		}
		return 'x'
	}, filter)
}

// selects reports whether the case of this id is wanted, and Ginkgo would select a spec with these texts and labels. It
// matches the focus against the description of the suite, which is empty here, and the texts.
func (f Filter) selects(id string, texts, labels []string) bool {
	return (f.Case == "" || f.Case == id) && (f.labels == nil || f.labels(labels)) &&
		(f.focus == nil || f.focus.MatchString(" "+strings.Join(texts, " ")))
}
