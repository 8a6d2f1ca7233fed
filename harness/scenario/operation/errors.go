package operation

import (
	"errors"
	"fmt"
)

// UnknownWord is the error of a command that is outside of the grammar: a misspelt or unknown word, or one that
// iproute2 knows and an Operation cannot express. It says nothing about what the real program would answer.
type UnknownWord struct {
	Word string
	// Nearest is the word of the grammar at that place that looks most like Word, or "".
	Nearest string
	// Typo says that iproute2 does not know the word at that place either, and so refuses the command.
	Typo bool
}

func (e *UnknownWord) Error() string { return "cannot say " + e.Word }

// UsageError is the error of a command that the real program refuses before it asks the kernel: a value that cannot be
// encoded, a keyword without its value, a name that is missing.
type UsageError struct {
	// Word is the value refused, or the keyword whose value is missing or wrong.
	Word string
	// Message says in plain words what is wrong with it.
	Message string
}

func (e *UsageError) Error() string { return fmt.Sprintf("use %q: %s", e.Word, e.Message) }

func usage(word, format string, args ...any) error {
	return &UsageError{Word: word, Message: fmt.Sprintf(format, args...)}
}

// NotA says why a text is no route or no rule, and which word was meant if one is near.
func NotA(what, text string, err error) error {
	var unknown *UnknownWord
	if errors.As(err, &unknown) && unknown.Nearest != "" {
		return fmt.Errorf("%q is no %s: %w, did you mean %s?", text, what, err, unknown.Nearest)
	}
	return fmt.Errorf("%q is no %s: %w", text, what, err)
}
