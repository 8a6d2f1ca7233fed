package claim

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Parse reads the sentence of a check, with its arguments in code spans (`testns` has the interface `lo`). The error
// for an unknown sentence has the nearest form, that for a bad argument what is expected there.
func Parse(text string) (Claim, error) {
	tokens := tokenize(text)
	if rest, limit, err := cutLimit(tokens); err != nil || limit != 0 || len(rest) < len(tokens) {
		return nil, errors.New("a limit (within) belongs to a check, not to its claim")
	}
	return parseTokens(tokens)
}

// ParseCheck reads the sentence of a check and its limit, 0 if it has none. It returns the sentence as written, without
// the limit.
func ParseCheck(text string) (sentence string, c Claim, limit time.Duration, err error) {
	tokens, limit, err := cutLimit(tokenize(text))
	if err != nil {
		return "", nil, 0, err
	}
	c, err = parseTokens(tokens)
	return join(tokens), c, limit, err
}

// parseTokens finds the form of a sentence and reads its arguments.
func parseTokens(tokens []token) (Claim, error) {
	for _, f := range forms() {
		found, ok := f.fit(tokens)
		if !ok {
			continue
		}
		args, err := f.read(found.args)
		if err != nil {
			return nil, fmt.Errorf("check: %w", err)
		}
		c := f.claim(args)
		if c, ok := c.(interface{ consistent() error }); ok {
			if err := c.consistent(); err != nil {
				return nil, fmt.Errorf("check: %w", err)
			}
		}
		return c, nil
	}
	return nil, fmt.Errorf("unknown check “%s”; the nearest form is “%s”", join(tokens), nearestForm(tokens))
}

// read turns the arguments of a sentence into values by the slots of the form. The last slot reads all that remain. An
// error names what was expected and found, which shows the argument; its example in the form would look like a name.
func (f Form) read(given []given) (arguments, error) {
	args := make(arguments, len(f.args), max(len(f.args), len(given)))
	for _, g := range given {
		kind := f.args[min(g.place, len(f.args)-1)]
		value, err := kind.read(g.text)
		if err != nil {
			return nil, err
		}
		if g.place == len(args) {
			args = append(args, nil)
		}
		args[g.place] = value
	}
	return args, nil
}

// cutLimit removes a limit such as within `5s` from the end of a sentence.
func cutLimit(tokens []token) ([]token, time.Duration, error) {
	n := len(tokens)
	if n > 0 && tokens[n-1].span && strings.HasPrefix(tokens[n-1].word, "within `") {
		// The limit as one code span with backquotes in it, as in ``within `5s` ``.
		tokens = append(slices.Clone(tokens[:n-1]), tokenize(tokens[n-1].word)...)
		n = len(tokens)
	}
	at := n - 2
	if at < 0 || tokens[at] != (token{word: "within"}) {
		return tokens, 0, nil
	}
	if !tokens[at+1].span {
		return nil, 0, fmt.Errorf("the limit stands in a code span: within `%s`", tokens[at+1].word)
	}
	limit, err := time.ParseDuration(tokens[at+1].word)
	if err != nil || limit <= 0 {
		return nil, 0, fmt.Errorf(
			"the limit of a check (within): %w",
			expected(tokens[at+1].word, "a duration such as 5s or 300ms"),
		)
	}
	return tokens[:at], limit, nil
}
