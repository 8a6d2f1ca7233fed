// Package nearest measures how far what was written is from a name that was perhaps meant, and finds the word that
// was. It is pure, imports nothing of
// this project and may be imported by anybody.
package nearest

import (
	"unicode"
	"unicode/utf8"
)

// Distance is how far a is from b, in half letters: 0 when they are the same, 1 when they differ in upper and lower
// case alone; every letter that is wrong, missing, too many or swapped with the one beside it counts 2. It is the
// Damerau–Levenshtein distance in its restricted form, where no letter is moved twice.
func Distance(a, b string) int {
	folded := edits(lower(a), lower(b))
	if a != b && (folded == 0 || edits([]rune(a), []rune(b)) > folded) {
		return 2*folded + 1
	}
	return 2 * folded
}

// edits counts the edits between x and y row by row: row[j] is what leads from x[:i] to y[:j].
func edits(x, y []rune) int {
	before, last, row := make([]int, len(y)+1), make([]int, len(y)+1), make([]int, len(y)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(x); i++ {
		row[0] = i
		for j := 1; j <= len(y); j++ {
			wrong := 1
			if x[i-1] == y[j-1] {
				wrong = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+wrong)
			if i > 1 && j > 1 && x[i-1] == y[j-2] && x[i-2] == y[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(y)]
}

func lower(s string) []rune {
	runes := []rune(s)
	for i, r := range runes {
		runes[i] = unicode.ToLower(r)
	}
	return runes
}

// Word is the word among the given ones that a typo most likely meant, and whether there is one near enough. Of several
// that are equally near it is the first. Letter case alone is no distance.
func Word(word string, among []string) (string, bool) {
	best, distance := "", -1
	for _, candidate := range among {
		// One slip in a short word, one in three letters of a long one: beyond that it is another word.
		limit := max(1, min(utf8.RuneCountInString(word), utf8.RuneCountInString(candidate))/3)
		d := Distance(word, candidate) / 2 // half letters; case alone is one half
		if d <= limit && (distance < 0 || d < distance) {
			best, distance = candidate, d
		}
	}
	return best, distance >= 0
}

// DidYouMean is `, did you mean …?`, or nothing when no word is near.
func DidYouMean(word string, among []string) string {
	if near, ok := Word(word, among); ok {
		return ", did you mean " + near + "?"
	}
	return ""
}
