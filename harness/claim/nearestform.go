package claim

import (
	"slices"
	"unicode/utf8"

	"netnscheck/harness/nearest"
)

// nearestForm is the form nearest to an unknown sentence. An inserted or missing word costs 1, a different word up to 2
// (one missing and one inserted), depending on its letters; arguments cost nothing.
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
		skeleton := slices.DeleteFunc(slices.Clone(f.parts), func(p part) bool { return p.word == more })
		d := alignment(len(sentence), len(skeleton),
			func(i, j int) float64 { return difference(sentence[i], skeleton[j]) },
			func(i, j int) bool {
				return difference(sentence[i], skeleton[j-1]) == 0 && difference(sentence[i-1], skeleton[j]) == 0
			})
		if least < 0 || d < least {
			best, least = f.Sentence, d
		}
	}
	return best
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

// alignment is the lowest cost of turning a sequence of length n into one of length m: an insertion or a deletion costs
// 1, a replacement of element i by j costs replace(i, j), a swap of two adjacent elements costs 1 if swappable(i, j)
// (optimal string alignment, the restricted Damerau–Levenshtein distance).
func alignment(n, m int, replace func(i, j int) float64, swappable func(i, j int) bool) float64 {
	row := func() []float64 { return make([]float64, m+1) }
	before, last, now := row(), row(), row()
	for j := range now {
		now[j] = float64(j)
	}
	for i := range n {
		before, last, now = last, now, before
		now[0] = float64(i + 1)
		for j := range m {
			now[j+1] = min(last[j]+replace(i, j), last[j+1]+1, now[j]+1)
			if i > 0 && j > 0 && swappable(i, j) {
				now[j+1] = min(now[j+1], before[j-1]+1)
			}
		}
	}
	return now[m]
}
