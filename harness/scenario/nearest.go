package scenario

import (
	"unicode/utf8"

	"netnscheck/harness/nearest"
)

// Nearest is the word among the given ones that a typo most likely meant, and whether there is one near enough. Of
// several that are equally near it is the first. Letter case alone is no distance.
func Nearest(word string, among []string) (string, bool) {
	best, distance := "", -1
	for _, candidate := range among {
		// One slip in a short word, one in three letters of a long one: beyond that it is another word.
		limit := max(1, min(utf8.RuneCountInString(word), utf8.RuneCountInString(candidate))/3)
		d := nearest.Distance(word, candidate) / 2 // half letters; case alone is one half
		if d <= limit && (distance < 0 || d < distance) {
			best, distance = candidate, d
		}
	}
	return best, distance >= 0
}

// didYouMean is `, did you mean …?`, or nothing when no word is near.
func didYouMean(word string, among []string) string {
	if near, ok := Nearest(word, among); ok {
		return ", did you mean " + near + "?"
	}
	return ""
}

// alignment is the least cost of turning one sequence (length n) into another (length m), when to insert or delete an
// element costs 1, to replace element i by j what replace says, and to swap two neighbours 1 where swappable says so
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
