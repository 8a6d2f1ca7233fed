package claim

import (
	"net/netip"
	"slices"
	"strings"
)

// saidOtherwise are words that authors use where the language has others, which their letters do not resemble.
var saidOtherwise = []struct{ words, meant []token }{
	{tokenize("isn't"), tokenize("is not")},
	{tokenize("isn’t"), tokenize("is not")},
	{tokenize("doesn't"), tokenize("does not")},
	{tokenize("doesn’t"), tokenize("does not")},
	{tokenize("hasn't"), tokenize("has not")},
	{tokenize("hasn’t"), tokenize("has not")},
	{tokenize("is not up"), tokenize("is down")},
	{tokenize("is not down"), tokenize("is up")},
	{tokenize("does not hear an answer"), tokenize("hears no answer")},
	{tokenize("does not hear any answer"), tokenize("hears no answer")},
	{tokenize("has not learned"), tokenize("does not have the entry")},
	{tokenize("has no"), tokenize("does not have the")},
	{tokenize("with mark"), tokenize("with the mark")},
}

// otherReadings are sentences that the author of an unknown one may have meant, each with one more change than the one
// before it.
func otherReadings(sentence []token) (readings [][]token) {
	take := func(at, words int, meant []token) {
		sentence = slices.Concat(sentence[:at], meant, sentence[at+words:])
		readings = append(readings, sentence)
	}
	for _, other := range saidOtherwise {
		for i := 0; i+len(other.words) <= len(sentence); i++ {
			if slices.Equal(sentence[i:i+len(other.words)], other.words) {
				take(i, len(other.words), other.meant)
				break
			}
		}
	}
	for i, t := range sentence {
		if at, err := netip.ParseAddrPort(t.word); err == nil && t.span {
			take(i, 1, tokenize("`"+at.Addr().String()+"` on TCP port `80`"))
			break
		}
	}
	return readings
}

// lacksSpans reports whether a sentence that has no form has an argument outside a code span: fewer spans than the form
// nearest to it, and a word that no form has.
func lacksSpans(sentence []token, form string) bool {
	spans := func(all []token) (n int) {
		for _, t := range all {
			if t.span {
				n++
			}
		}
		return n
	}
	return spans(sentence) < spans(tokenize(form)) && slices.ContainsFunc(sentence, func(t token) bool {
		return !t.span && !denying(t) && (strings.Contains(t.word, "`") || !slices.ContainsFunc(skeletons().parts,
			func(p part) bool { return p.token == t }))
	})
}
