package operation

import (
	"strings"

	"netnscheck/harness/nearest"
)

// grammar is the list of keywords that iproute2 tries, in this order, at one place of a command. The order decides
// which keyword an abbreviation means.
type grammar []keyword

// keyword is one entry of a grammar.
type keyword struct {
	word string
	// exact keywords cannot be abbreviated.
	exact bool
	// means is the keyword's full name; it differs from word for a synonym.
	means string
}

// newGrammar reads keywords separated by blanks. A keyword with `!` cannot be abbreviated, one with `=NAME` is a
// synonym of NAME.
func newGrammar(text string) grammar {
	var g grammar
	for _, entry := range strings.Fields(text) {
		word, means, synonym := strings.Cut(entry, "=")
		bare := strings.TrimSuffix(word, "!")
		if !synonym {
			means = bare
		}
		g = append(g, keyword{word: bare, exact: bare != word, means: means})
	}
	return g
}

// find returns the full name of the first keyword that the word may mean.
func (g grammar) find(word string) (string, bool) {
	for _, k := range g {
		if word == k.word || !k.exact && word != "" && strings.HasPrefix(k.word, word) {
			return k.means, true
		}
	}
	return "", false
}

// unknown is the error for a word outside the grammar.
func (g grammar) unknown(word string) error {
	words := make([]string, len(g))
	for i, k := range g {
		words[i] = k.word
	}
	return &UnknownWord{Word: word, Nearest: closest(word, words), Typo: len(g) > 0}
}

// actions are the functions that read a keyword, by its full name. A keyword without an action is an UnknownWord.
type actions map[string]func(keyword string) error

// parse reads all remaining words. A word that is not a keyword is passed to other, which may be nil.
func (g grammar) parse(w *words, do actions, other func(word string) error) error {
	for w.more() {
		word := w.next()
		name, known := g.find(word)
		act := do[name]
		switch {
		case known && act == nil:
			return &UnknownWord{Word: word}
		case known:
			if err := act(name); err != nil {
				return err
			}
		case other == nil:
			return g.unknown(word)
		default:
			if err := other(word); err != nil {
				return err
			}
		}
	}
	return nil
}

// words are the unread words of a command.
type words struct {
	left []string
	// seen are the keywords that may be written only once and were read.
	seen map[string]bool
	// family is the family of the command's addresses, set by an option or the first address.
	family Family
}

func newWords(list []string, family Family) *words {
	return &words{left: list, seen: map[string]bool{}, family: family}
}

func (w *words) more() bool { return len(w.left) > 0 }

func (w *words) next() string {
	word := w.left[0]
	w.left = w.left[1:]
	return word
}

// rest takes all remaining words, nil if there are none.
func (w *words) rest() []string {
	rest := w.left
	w.left = nil
	if len(rest) == 0 {
		return nil
	}
	return append([]string(nil), rest...)
}

// value takes the word after a keyword.
func (w *words) value(keyword string) (string, error) {
	if !w.more() {
		return "", usage(keyword, "a value must follow")
	}
	return w.next(), nil
}

// once refuses a keyword that is written twice.
func (w *words) once(act func(string) error) func(string) error {
	return func(keyword string) error {
		if w.seen[keyword] {
			return usage(keyword, "it is written twice")
		}
		w.seen[keyword] = true
		return act(keyword)
	}
}

// onceUnknown is once for a keyword that iproute2 accepts several times but an Operation holds only once.
func (w *words) onceUnknown(act func(string) error) func(string) error {
	return func(keyword string) error {
		if w.seen[keyword] {
			return &UnknownWord{Word: keyword}
		}
		w.seen[keyword] = true
		return act(keyword)
	}
}

// flag sets a bool and takes no value.
func (w *words) flag(dst *bool, value bool) func(string) error {
	return func(string) error { *dst = value; return nil }
}

// read is an action that reads one value with the function understand.
func read[T any](w *words, dst *T, understand func(keyword, value string) (T, error)) func(string) error {
	return func(keyword string) error {
		value, err := w.value(keyword)
		if err != nil {
			return err
		}
		got, err := understand(keyword, value)
		if err == nil {
			*dst = got
		}
		return err
	}
}

// readTo is read for an optional value.
func readTo[T any](w *words, dst **T, understand func(keyword, value string) (T, error)) func(string) error {
	return func(keyword string) error {
		var got T
		if err := read(w, &got, understand)(keyword); err != nil {
			return err
		}
		*dst = &got
		return nil
	}
}

// closest is the candidate with the fewest changed letters, at most two and fewer than half of the word, or "".
func closest(word string, candidates []string) string {
	best, bestDistance := "", min(3, (len(word)+2)/2)
	for _, c := range candidates {
		if d := nearest.Distance(word, c) / 2; d < bestDistance {
			best, bestDistance = c, d
		}
	}
	return best
}
