package operation

import (
	"errors"
	"fmt"
)

// UnknownWord is the error for a command outside the grammar: a misspelt or unknown word, or one that iproute2 knows
// but no Operation expresses. The real program may accept the command.
type UnknownWord struct {
	Word string
	// Nearest is the most similar word of the grammar at this place, or "".
	Nearest string
	// Typo is set if iproute2 does not know the word at this place either, and refuses the command.
	Typo bool
}

func (e *UnknownWord) Error() string { return "cannot say " + e.Word }

// UsageError is the error for a command that the real program refuses itself, without asking the kernel: a value that
// cannot be encoded, a keyword without a value, a missing name.
type UsageError struct {
	// Word is the refused value, or the keyword whose value is missing or wrong.
	Word string
	// Message is what is wrong with it.
	Message string
}

func (e *UsageError) Error() string { return fmt.Sprintf("use %q: %s", e.Word, e.Message) }

func usage(word, format string, args ...any) error {
	return &UsageError{Word: word, Message: fmt.Sprintf(format, args...)}
}

// NotA is the error for a text that is not a route or not a rule, with the nearest word if there is one.
func NotA(what, text string, err error) error {
	var unknown *UnknownWord
	if errors.As(err, &unknown) && unknown.Nearest != "" {
		return fmt.Errorf("%q is no %s: %w, did you mean %s?", text, what, err, unknown.Nearest)
	}
	return fmt.Errorf("%q is no %s: %w", text, what, err)
}
