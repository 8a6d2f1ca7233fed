package claim

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Item is a task-list item: a sentence and the words that may follow it.
type Item struct {
	// Sentence is the sentence as written, without the words after it.
	Sentence string
	Claim    Claim
	// Within is the limit, as in within `5s`; 0 for none.
	Within time.Duration
	// AtOnce is set if a negative check is judged in the state as it is, settled or not.
	AtOnce bool
}

// Parse reads the sentence of a check, with its arguments in code spans (`testns` has the interface `lo`). The error
// for an unknown sentence has the nearest form, that for a bad argument what is expected there.
func Parse(text string) (Claim, error) {
	tokens := tokenize(text)
	rest, limit, err := cutLimit(tokens)
	switch _, atOnce := cutAtOnce(rest); {
	case err != nil || limit != 0 || len(rest) < len(tokens):
		return nil, errors.New("a limit (within) belongs to a check, not to its claim")
	case atOnce:
		return nil, errors.New("`at once` belongs to a check, not to its claim")
	}
	_, c, err := parseTokens(tokens)
	return c, err
}

// ParseItem reads the sentence of a check and the words after it.
func ParseItem(text string) (Item, error) {
	tokens, limit, err := cutLimit(tokenize(text))
	if err != nil {
		return Item{}, err
	}
	tokens, atOnce := cutAtOnce(tokens)
	if atOnce && limit == 0 { // the limit may stand before it
		tokens, limit, err = cutLimit(tokens)
		if err != nil {
			return Item{}, err
		}
	}
	f, c, err := parseTokens(tokens)
	switch {
	case err != nil:
		return Item{}, err
	case atOnce && !f.Negative:
		return Item{}, errors.New("`at once` belongs to negative checks: a positive one waits until it is true")
	case atOnce && limit != 0:
		return Item{}, errors.New(
			"`at once` and a limit (within) exclude each other: what is judged at once does not wait")
	}
	return Item{Sentence: join(tokens), Claim: c, Within: limit, AtOnce: atOnce}, nil
}

// Negative reports whether the sentence of a claim is a negative form, such as `a` does not reach `10.0.0.2`. A
// sentence that is none of the language's, which only suites in Go can make, is a negative one.
func Negative(c Claim) bool {
	f, _, ok := formOf(tokenize(c.Sentence()))
	return !ok || f.Negative
}

// formOf finds the form of a sentence, and its arguments.
func formOf(tokens []token) (Form, fitted, bool) {
	for _, f := range forms() {
		if found, ok := f.fit(tokens); ok {
			return f, found, true
		}
	}
	return Form{}, fitted{}, false
}

// parseTokens finds the form of a sentence and reads its arguments.
func parseTokens(tokens []token) (Form, Claim, error) {
	f, found, ok := formOf(tokens)
	if !ok {
		nearest := nearestForm(tokens)
		return Form{}, nil, fmt.Errorf("unknown check “%s”; the nearest form is “%s”%s", join(tokens), nearest,
			word(lacksSpans(tokens, nearest), ", with its arguments in code spans (backquotes)", ""))
	}
	args, err := f.read(found.args)
	if err != nil {
		return Form{}, nil, fmt.Errorf("check: %w", err)
	}
	c := f.claim(args)
	if c, ok := c.(interface{ consistent() error }); ok {
		if err := c.consistent(); err != nil {
			return Form{}, nil, fmt.Errorf("check: %w", err)
		}
	}
	return f, c, nil
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
		return tokens, 0, otherLimit(tokens)
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

// otherLimit is the error for a claim that ends with a limit in other words, such as in `5s`.
func otherLimit(tokens []token) error {
	at := len(tokens) - 2
	if at < 1 || tokens[at].span || !tokens[at+1].span {
		return nil
	}
	_, err := time.ParseDuration(tokens[at+1].word)
	_, _, before := formOf(tokens[:at])
	_, _, complete := formOf(tokens) // a namespace may be called 5s
	if err != nil || !before || complete {
		return nil
	}
	return fmt.Errorf("the limit of a check is written within `%s`, found %s `%[1]s`", tokens[at+1].word,
		tokens[at].word)
}

// cutAtOnce removes the words at once from the end of a sentence. They may be a code span, unless that is an argument.
func cutAtOnce(tokens []token) (rest []token, found bool) {
	n := len(tokens)
	if n > 0 && tokens[n-1] == (token{word: "at once", span: true}) {
		if _, _, complete := formOf(tokens); complete {
			return tokens, false
		}
		return tokens[:n-1], true
	}
	if n < 2 || tokens[n-2] != (token{word: "at"}) || tokens[n-1] != (token{word: "once"}) {
		return tokens, false
	}
	return tokens[:n-2], true
}
