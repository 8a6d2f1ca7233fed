package claim

import (
	"slices"
	"strings"
	"sync"
	"unicode/utf8"

	"netnscheck/harness/nearest"
)

// longestCompared is how many words of a sentence nearestForm looks at, more than any form has.
const longestCompared = 64

// nearestForm is the form nearest to an unknown sentence, with the qualifiers that fit it best. An inserted or missing
// word costs 1, a different word up to 2 (one missing and one inserted), depending on its letters; arguments cost
// nothing. A word of one that has no likeness anywhere in the other costs up to half a point more, so that
// words in another order are recognized, and a positive form costs a negative sentence 2 more. Each other reading of
// the sentence costs 2.
func nearestForm(sentence []token) string {
	sentence = sentence[:min(len(sentence), longestCompared)]
	best, least := nearestWith(sentence)
	for _, other := range otherReadings(sentence) {
		if f, found, ok := formOf(other); ok { // also one with its qualifiers in another order
			return f.with(found.uses)
		}
		if form, d := nearestWith(other); d+2 < least {
			best, least = form, d+2
		}
	}
	return best
}

// nearestWith is the nearest form, and what it costs.
func nearestWith(sentence []token) (string, float64) {
	all := skeletons()
	// The forms share few words, so each difference is computed once: costs are at [word of the sentence][part].
	costs := make([][]float64, len(sentence))
	for i := range costs {
		costs[i] = make([]float64, len(all.parts))
		for k, p := range all.parts {
			costs[i][k] = difference(sentence[i], p)
		}
	}
	strange := make([]float64, len(all.parts)) // the least difference from any word of the sentence
	for k := range strange {
		strange[k] = 2
		for i := range costs {
			strange[k] = min(strange[k], costs[i][k])
		}
	}
	denial := slices.ContainsFunc(sentence, denying)
	best, least := "", -1.0
	for k, f := range forms() {
		words := all.forms[k].words
		d, skipped := alignment(len(sentence), len(words), all.forms[k].optional,
			func(i, j int) float64 { return costs[i][words[j]] },
			func(i, j int) bool { return costs[i][words[j-1]] == 0 && costs[i-1][words[j]] == 0 })
		for j, word := range words {
			if !all.forms[k].isOptional(j) {
				d += strange[word] / 4
			}
		}
		for i := range sentence {
			d += leastOf(costs[i], words) / 4
		}
		if denial && !slices.ContainsFunc(all.forms[k].tokens, denying) {
			d += 2
		}
		if least < 0 || d < least {
			best, least = f.with(^skipped), d
		}
	}
	return best, least
}

// leastOf is the least of the costs at some places, 2 if there are none.
func leastOf(costs []float64, places []int) float64 {
	least := 2.0
	for _, place := range places {
		least = min(least, costs[place])
	}
	return least
}

// skeletons are the parts of all forms, each once, and the words of each form.
var skeletons = sync.OnceValue(func() (all struct {
	parts []part
	forms []skeleton
}) {
	type key struct {
		token
		argument bool
	}
	place := map[key]int{}
	for _, f := range forms() {
		var s skeleton
		for i, p := range f.phrases {
			from := len(s.words)
			for _, t := range p.parts {
				if t.word == more && !t.span {
					continue
				}
				k := key{t.token, t.slot != nil}
				if _, known := place[k]; !known {
					place[k] = len(all.parts)
					all.parts = append(all.parts, t)
				}
				s.words, s.tokens = append(s.words, place[k]), append(s.tokens, t.token)
			}
			if p.qualifier {
				s.optional = append(s.optional, stretch{from, len(s.words), 1 << i})
			}
		}
		all.forms = append(all.forms, s)
	}
	return all
})

// skeleton has the words of a form without `…`, as places among all parts, and its qualifiers from left to right.
type skeleton struct {
	words    []int
	tokens   []token // the same words
	optional []stretch
}

func (s skeleton) isOptional(place int) bool {
	return slices.ContainsFunc(s.optional, func(o stretch) bool { return o.from <= place && place < o.to })
}

// denying reports whether a word makes its sentence a negative one.
func denying(t token) bool {
	return !t.span && (slices.Contains([]string{"no", "not", "cannot", "never", "nothing"}, t.word) ||
		strings.HasSuffix(t.word, "n't") || strings.HasSuffix(t.word, "n’t"))
}

// stretch are the elements of a sequence from one place to another, which may be left out together.
type stretch struct {
	from, to int
	phrase   phraseSet // the bit of its phrase
}

// difference is 0 for two arguments or equal words, up to 2 for words without a common letter.
func difference(a token, b part) float64 {
	switch {
	case a.span != b.span:
		return 2
	case a.word == b.word || b.slot != nil:
		return 0
	}
	longer := max(utf8.RuneCountInString(a.word), utf8.RuneCountInString(b.word), 1)
	if longer > 30 { // longer than any word of a form
		return 2
	}
	return 2 * float64(nearest.Distance(a.word, b.word)/2) / float64(longer)
}

// alignment is the lowest cost of turning a sequence of length n into one of length m, which may leave out some of its
// stretches (optional), and the phrases of those left out. An insertion or a deletion costs 1, a replacement of
// element i by j costs replace(i, j), a swap of two adjacent elements costs 1 if swappable(i, j) (optimal string
// alignment, the restricted Damerau–Levenshtein distance).
func alignment(n, m int, optional []stretch, replace func(i, j int) float64,
	swappable func(i, j int) bool) (float64, phraseSet) {
	type cell struct {
		cost    float64
		skipped phraseSet
	}
	plus := func(c cell, cost float64) cell { return cell{c.cost + cost, c.skipped} }
	cheaper := func(a, b cell) cell {
		if b.cost < a.cost {
			return b
		}
		return a
	}
	row := func() []cell { return make([]cell, m+1) }
	before, last, now := row(), row(), row()
	ending := make([]*stretch, m+1) // by the place after its last element
	for i := range optional {
		ending[optional[i].to] = &optional[i]
	}
	skip := func(j int) {
		if s := ending[j]; s != nil {
			c := now[s.from]
			now[j] = cheaper(cell{c.cost, c.skipped | s.phrase}, now[j])
		}
	}
	for j := range m {
		now[j+1] = plus(now[j], 1)
		skip(j + 1)
	}
	for i := range n {
		before, last, now = last, now, before
		now[0] = plus(last[0], 1)
		for j := range m {
			now[j+1] = cheaper(plus(last[j], replace(i, j)), cheaper(plus(last[j+1], 1), plus(now[j], 1)))
			if i > 0 && j > 0 && swappable(i, j) {
				now[j+1] = cheaper(now[j+1], plus(before[j-1], 1))
			}
			skip(j + 1)
		}
	}
	return now[m].cost, now[m].skipped
}
