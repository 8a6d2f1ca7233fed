package screen

import (
	"fmt"

	"netnscheck/harness/internal/cmd/markdown"
)

// Page prints Markdown: laid out on a terminal, verbatim otherwise.
func (s *Screen) Page(text string) error {
	if !s.Terminal {
		_, err := fmt.Fprint(s.Out, text)
		return err
	}
	t := markdown.Terminal{Width: pageColumns(s.Columns), Colour: s.Colour, ASCII: s.ASCII}
	_, err := fmt.Fprint(s.Out.Painted(), markdown.Render(text, t))
	return err
}

// pageColumns is the width of a page: that of the terminal, at most 100 columns for legibility.
func pageColumns(terminal int) int {
	if terminal < 20 {
		return 80
	}
	return min(terminal, 100)
}
