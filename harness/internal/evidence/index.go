package evidence

import (
	"fmt"
	"strings"

	"netnscheck/harness/term"
)

// IndexText is the index of a folder: what is there, and what could not be had and why. title names the case; says is
// why it failed, in a few lines.
func (b *Bundle) IndexText(title, says string) string {
	var t strings.Builder
	fmt.Fprintf(&t, "%s\n\n%s\n\n", term.OneLine(title), strings.TrimSpace(term.Printable(says)))
	for _, f := range Files {
		if b.Files[f.Name] != nil || f.Name == Index {
			fmt.Fprintf(&t, "%-15s %s\n", f.Name, f.Says)
		}
	}
	const could = "\nCould not be had:\n"
	head := could
	for _, f := range Files {
		if f.Name == Index || b.Files[f.Name] != nil {
			continue
		}
		why := b.Lacks[f.Name]
		if why == "" {
			why = "nobody told it"
		}
		fmt.Fprintf(&t, "%s%-15s %s\n", head, f.Name, term.OneLine(why))
		head = ""
	}
	return t.String()
}
