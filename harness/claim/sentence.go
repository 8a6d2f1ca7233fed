package claim

import "fmt"

// say writes a sentence: each %s is an argument and becomes a code span.
func say(format string, arguments ...any) string {
	spans := make([]any, len(arguments))
	for i, a := range arguments {
		spans[i] = Span(fmt.Sprint(a))
	}
	return fmt.Sprintf(format, spans...)
}

// in is `X` in `N`.
func (i Iface) in() string { return say("%s in %s", i.Name, i.Netns) }

// either is the negative or the positive wording.
func either(not bool, negative, positive string) string { return word(not, negative, positive) }

const (
	hasNot = " does not have the "
	has    = " has the "
)
