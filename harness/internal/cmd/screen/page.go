package screen

import (
	"fmt"

	"netnscheck/harness/internal/cmd/markdown"
)

// Page shows Markdown: laid out on a terminal, as it is otherwise.
func (s *Screen) Page(text string) error {
	if !s.Terminal {
		_, err := fmt.Fprint(s.Out, text)
		return err
	}
	t := markdown.Terminal{Width: pageColumns(s.Columns), Colour: s.Colour, ASCII: s.ASCII}
	_, err := fmt.Fprint(s.Out.Painted(), markdown.Render(text, t))
	return err
}

// pageColumns is how wide a text is laid out: as the terminal is, but no wider than one likes to read.
func pageColumns(terminal int) int {
	if terminal < 20 {
		return 80
	}
	return min(terminal, 100)
}
