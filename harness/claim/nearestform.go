package claim

import (
	"unicode/utf8"

	"netnscheck/harness/nearest"
)

// nearestForm is the form nearest to an unknown sentence, with the qualifiers that fit it best. An inserted or missing
// word costs 1, a different word up to 2 (one missing and one inserted), depending on its letters; arguments cost
// nothing.
func nearestForm(sentence []token) string {
	best, least := "", -1.0
	type pair struct {
		written, form token
		argument      bool
	}
	known := map[pair]float64{} // the forms share few words, and a long sentence compares each of them many times
	difference := func(a token, b part) float64 {
		p := pair{a, b.token, b.slot != nil}
		d, ok := known[p]
		if !ok {
			d = difference(a, b)
			known[p] = d
		}
		return d
	}
	for _, f := range forms() {
		skeleton, optional := f.skeleton()
		d, skipped := alignment(len(sentence), len(skeleton), optional,
			func(i, j int) float64 { return difference(sentence[i], skeleton[j]) },
			func(i, j int) bool {
				return difference(sentence[i], skeleton[j-1]) == 0 && difference(sentence[i-1], skeleton[j]) == 0
			})
		if least < 0 || d < least {
			best, least = f.with(^skipped), d
		}
	}
	return best
}

// stretch are elements of a sequence that may be left out together.
type stretch struct {
	from  int
	names phraseSet // the bit of its phrase
}

// skeleton are the parts of a form without `…`, and its qualifiers, by the place after their last part.
func (f Form) skeleton() (parts []part, optional map[int]stretch) {
	optional = map[int]stretch{}
	for i, p := range f.phrases {
		from := len(parts)
		for _, t := range p.parts {
			if t.word != more {
				parts = append(parts, t)
			}
		}
		if p.qualifier {
			optional[len(parts)] = stretch{from, 1 << i}
		}
	}
	return parts, optional
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
// stretches (optional, by their ends), and the stretches left out. An insertion or a deletion costs 1, a replacement of
// element i by j costs replace(i, j), a swap of two adjacent elements costs 1 if swappable(i, j) (optimal string
// alignment, the restricted Damerau–Levenshtein distance).
func alignment(n, m int, optional map[int]stretch, replace func(i, j int) float64,
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
	skip := func(j int) {
		if s, ok := optional[j]; ok {
			c := now[s.from]
			now[j] = cheaper(cell{c.cost, c.skipped | s.names}, now[j])
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
