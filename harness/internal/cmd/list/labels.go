package list

import (
	"strings"

	"netnscheck/harness/internal/cmd/input"
	"netnscheck/harness/internal/cmd/status"
	"netnscheck/harness/term"
)

// runLabels lists the labels of the cases, one line for each kind.
func runLabels(o options) error {
	groups, err := input.Labels()
	if err != nil {
		return status.With(status.Usage, err)
	}
	if o.json {
		return o.screen.Document(1, struct {
			Labels []input.LabelGroup `json:"labels"`
		}{groups})
	}
	s := o.screen.Sheet()
	for _, g := range groups {
		s.Line(term.Pad(g.Of, 18)+"  ", strings.Join(g.Labels, " "))
	}
	return s.Err()
}
