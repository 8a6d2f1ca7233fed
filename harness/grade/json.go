package grade

import (
	"strings"

	"netnscheck/harness/term"
)

// document is the JSON of a class.
type document struct {
	Format  string `json:"format"`
	Version int    `json:"version"`
	*Class
}

// JSON is the table for programs. Control characters in texts are written as escapes.
func (c *Class) JSON() (string, error) {
	var b strings.Builder
	err := term.WriteJSON(&b, document{"netnscheck class", 1, c})
	return b.String(), err
}
