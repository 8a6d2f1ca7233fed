package operation

import (
	"strings"

	"netnscheck/harness/nearest"
)

// grammar is the list of keywords that iproute2 tries in turn at one place of a command. The order decides which
// keyword an abbreviation stands for.
type grammar []keyword

// keyword is one entry of a grammar.
type keyword struct {
	word string
	// exact keywords cannot be abbreviated.
	exact bool
	// means is the keyword's full name; it differs from word for a synonym.
	means string
}

// newGrammar reads keywords separated by blanks. A `!` after a keyword says that it cannot be abbreviated, `=NAME` that
// it is a synonym of NAME.
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

// find returns the full name of the first keyword that the word stands for.
func (g grammar) find(word string) (string, bool) {
	for _, k := range g {
		if word == k.word || !k.exact && word != "" && strings.HasPrefix(k.word, word) {
			return k.means, true
		}
	}
	return "", false
}

// unknown is the error for a word that is none of the grammar's.
func (g grammar) unknown(word string) error {
	words := make([]string, len(g))
	for i, k := range g {
		words[i] = k.word
	}
	return &UnknownWord{Word: word, Nearest: closest(word, words), Typo: len(g) > 0}
}

// actions say what to do at a keyword, by its full name. A keyword of the grammar without an action cannot be said.
type actions map[string]func(keyword string) error

// parse reads all words that are left. A word that is no keyword goes to other, which may be nil.
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

// words are the words of a command that are still to be read.
type words struct {
	left []string
	// seen are the keywords that may be written once and have been.
	seen map[string]bool
	// family is what the addresses of the command have to be; the first one that says so sets it.
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

// rest takes all words that are left; nil if there are none.
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
		return "", usage(keyword, "a value has to follow")
	}
	return w.next(), nil
}

// once refuses a keyword that is written for the second time.
func (w *words) once(act func(string) error) func(string) error {
	return func(keyword string) error {
		if w.seen[keyword] {
			return usage(keyword, "it is written twice")
		}
		w.seen[keyword] = true
		return act(keyword)
	}
}

// onceUnknown is once for a keyword that iproute2 takes several times and an Operation cannot.
func (w *words) onceUnknown(act func(string) error) func(string) error {
	return func(keyword string) error {
		if w.seen[keyword] {
			return &UnknownWord{Word: keyword}
		}
		w.seen[keyword] = true
		return act(keyword)
	}
}

// flag sets a truth value and takes no further word.
func (w *words) flag(dst *bool, value bool) func(string) error {
	return func(string) error { *dst = value; return nil }
}

// read makes an action of a function that understands one value.
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

// readTo is read for a value that may also be left out.
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

// closest is the one of the candidates with the fewest changed letters, at most two and fewer than half of the word; ""
// if none is that near.
func closest(word string, candidates []string) string {
	best, bestDistance := "", min(3, (len(word)+2)/2)
	for _, c := range candidates {
		if d := nearest.Distance(word, c) / 2; d < bestDistance {
			best, bestDistance = c, d
		}
	}
	return best
}
