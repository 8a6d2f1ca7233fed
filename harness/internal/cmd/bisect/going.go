package bisect

import (
	"fmt"

	"netnscheck/harness/internal/cmd/guests"
	"netnscheck/harness/term"
)

// going shows on a terminal, in one line that is overwritten, how far a boot of a kernel is, and what it is for.
func (o *options) going(kernel, what string, n guests.News) {
	if o.screen.Progress == nil {
		return
	}
	text := fmt.Sprintf("%s, %s: ", kernel, what)
	if n.Stage == guests.Playing {
		text += fmt.Sprintf("%d of %s", n.Done, term.Count(n.Cases, "case"))
	} else {
		text += string(n.Stage)
	}
	fmt.Fprint(o.screen.Progress, "\r\x1b[K"+term.Cut(term.OneLine(text), max(20, o.screen.Columns-1), "…"))
}

// clear erases that line.
func (o *options) clear() {
	if o.screen.Progress != nil {
		fmt.Fprint(o.screen.Progress, "\r\x1b[K")
	}
}

// remark prints what the user should know.
func (o *options) remark(text string) {
	o.clear()
	fmt.Fprintln(o.screen.Err, term.Printable(text))
}
