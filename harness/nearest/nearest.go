// Package nearest computes edit distances between words, and suggests the word that a typo most likely meant. It is
// pure, imports nothing of this project and may be imported by anybody.
package nearest

import (
	"unicode"
	"unicode/utf8"
)

// Distance is twice the edit distance between a and b, plus 1 if they also differ in upper and lower case. The edit
// distance is the restricted Damerau–Levenshtein distance: insertions, deletions, replacements and swaps of adjacent
// letters each count 1.
func Distance(a, b string) int {
	folded := edits(lower(a), lower(b))
	if a != b && (folded == 0 || edits([]rune(a), []rune(b)) > folded) {
		return 2*folded + 1
	}
	return 2 * folded
}

// edits is the edit distance between x and y, computed row by row: row[j] is the distance from x[:i] to y[:j].
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

// Word is the nearest of the given words, the first of several equally near ones, and reports whether it is near enough
// to be meant. Upper and lower case count as equal.
func Word(word string, among []string) (string, bool) {
	best, distance := "", -1
	for _, candidate := range among {
		// At most one error in a short word, one in three letters of a long one.
		limit := max(1, min(utf8.RuneCountInString(word), utf8.RuneCountInString(candidate))/3)
		d := Distance(word, candidate) / 2 // without the difference in case
		if d <= limit && (distance < 0 || d < distance) {
			best, distance = candidate, d
		}
	}
	return best, distance >= 0
}

// DidYouMean is `, did you mean …?` with the nearest word, or "" if no word is near enough.
func DidYouMean(word string, among []string) string {
	if near, ok := Word(word, among); ok {
		return ", did you mean " + near + "?"
	}
	return ""
}
