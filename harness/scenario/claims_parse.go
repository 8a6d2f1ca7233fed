package scenario

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"netnscheck/harness/nearest"
)

// ParseClaim reads the sentence of a check, its arguments in code spans (`testns` has the interface `lo`). The error of an
// unknown sentence names the nearest form; that of a known form with a wrong argument what was expected there.
func ParseClaim(text string) (Claim, error) {
	tokens := tokenize(text)
	if rest, limit, err := cutLimit(tokens); err != nil || limit != 0 || len(rest) < len(tokens) {
		return nil, errors.New("a limit (within) belongs to a check, not to its claim")
	}
	return parseTokens(tokens)
}

// parseCheck reads the sentence of a check with its limit, 0 when none is written.
func parseCheck(text string) (sentence string, claim Claim, limit time.Duration, err error) {
	tokens, limit, err := cutLimit(tokenize(text))
	if err != nil {
		return "", nil, 0, err
	}
	claim, err = parseTokens(tokens)
	return join(tokens), claim, limit, err
}

// skeletons are the forms as words and code spans.
var skeletons = func() [][]token {
	all := make([][]token, len(forms))
	for i, f := range forms {
		all[i] = tokenize(f.text)
	}
	return all
}()

// parseTokens finds the form of a sentence and reads its arguments.
func parseTokens(tokens []token) (Claim, error) {
	for i, f := range forms {
		spans, ok := fit(skeletons[i], tokens)
		if !ok {
			continue
		}
		args, err := readArguments(skeletons[i], spans)
		if err != nil {
			return nil, fmt.Errorf("check “%s”: %w", f.text, err)
		}
		claim := f.claim(args)
		if err := consistent(claim); err != nil {
			return nil, fmt.Errorf("check “%s”: %w", f.text, err)
		}
		return claim, nil
	}
	return nil, fmt.Errorf("unknown check “%s”; the nearest form is “%s”", join(tokens), nearestForm(tokens))
}

// more is the word of a form that lets its last argument be repeated.
const more = "…"

// fit lays a sentence over the skeleton of a form and returns its code spans if the words are the same. A word in a code
// span that is no argument (`refused`) is a fixed word too.
func fit(skeleton, sentence []token) (spans []string, ok bool) {
	i := 0
	for _, s := range skeleton {
		switch {
		case s.word == more && !s.span:
			for i+1 < len(sentence) && sentence[i] == (token{word: ","}) && sentence[i+1].span {
				spans = append(spans, sentence[i+1].word)
				i += 2
			}
			continue
		case i == len(sentence) || s.span != sentence[i].span:
			return nil, false
		case s.argument():
			spans = append(spans, sentence[i].word)
		case s.word != sentence[i].word:
			return nil, false
		}
		i++
	}
	return spans, i == len(sentence)
}

// argument says that a token of a form stands for a value.
func (t token) argument() bool { return t.span && slots[t.word] != nil }

// readArguments turns the code spans into values by the slots of the form; the last slot takes what is left over.
func readArguments(skeleton []token, spans []string) (arguments, error) {
	var kinds []string
	for _, s := range skeleton {
		if s.argument() {
			kinds = append(kinds, s.word)
		}
	}
	args := make(arguments, len(spans))
	for i, span := range spans {
		kind := kinds[min(i, len(kinds)-1)]
		value, err := slots[kind](span)
		if err != nil {
			return nil, fmt.Errorf("`%s`: %w", kind, err)
		}
		args[i] = value
	}
	return args, nil
}

// consistent refuses a claim whose arguments are right by themselves but not together.
func consistent(c Claim) error {
	switch c := c.(type) {
	case SendsTo:
		if c.From.IsValid() && c.From.Is4() != c.Dest.Is4() {
			return fmt.Errorf("source %s and destination %s are of two address families", c.From, c.Dest)
		}
	case Reaches:
		if c.From.IsValid() && c.From.Is4() != c.Dest.Is4() {
			return fmt.Errorf("source %s and destination %s are of two address families", c.From, c.Dest)
		}
	case AttributeIs:
		return checkAttribute(c.Attribute, c.Value)
	case HasOnlyInterfaces:
		for i, name := range c.Names {
			if slices.Contains(c.Names[:i], name) {
				return fmt.Errorf("the interface %s is named twice", name)
			}
		}
	}
	return nil
}

// checkAttribute refuses a value that the attribute can never have.
func checkAttribute(attribute, value string) error {
	switch attribute {
	case "arp", "offload:tso", "offload:gro":
		return oneOf("value of "+attribute, []string{"on", "off"})(value)
	case "txqueuelen", "promiscuity", "numtxqueues", "numrxqueues", "gso_max_size", "ifindex":
		_, err := number("a number for "+attribute, 0, 1<<32-1)(value)
		return err
	}
	return nil
}

// cutLimit takes within `5s` from the end of a sentence.
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
		return nil, 0, fmt.Errorf("the limit of a check (within): %w", expected(tokens[at+1].word, "a duration such as 5s or 300ms"))
	}
	return tokens[:at], limit, nil
}

// nearestForm is the form from which an unknown sentence differs least: a word more or less counts 1, another word up to 2 as
// its letters differ (one less and one more), what stands in the arguments not at all.
func nearestForm(sentence []token) string {
	best, least := "", -1.0
	known := map[[2]token]float64{} // the forms have few words in all, and a long sentence meets each of them many times
	difference := func(a, b token) float64 {
		d, ok := known[[2]token{a, b}]
		if !ok {
			d = difference(a, b)
			known[[2]token{a, b}] = d
		}
		return d
	}
	for i, f := range forms {
		skeleton := slices.DeleteFunc(slices.Clone(skeletons[i]), func(t token) bool { return t.word == more })
		d := alignment(len(sentence), len(skeleton),
			func(i, j int) float64 { return difference(sentence[i], skeleton[j]) },
			func(i, j int) bool {
				return difference(sentence[i], skeleton[j-1]) == 0 && difference(sentence[i-1], skeleton[j]) == 0
			})
		if least < 0 || d < least {
			best, least = f.text, d
		}
	}
	return best
}

// difference is 0 for two arguments or the same word, up to 2 for words without a common letter.
func difference(a, b token) float64 {
	switch {
	case a.span != b.span:
		return 2
	case a.word == b.word || b.argument():
		return 0
	}
	longer := max(utf8.RuneCountInString(a.word), utf8.RuneCountInString(b.word), 1)
	if longer > 30 { // no word of a form
		return 2
	}
	return 2 * float64(nearest.Distance(a.word, b.word)/2) / float64(longer)
}
