package term

import (
	"regexp"
	"strings"
	"unicode/utf8"
)

// The longest word and the longest text that Brief leaves whole, in characters.
const (
	longWord = 72
	longText = 480
)

var lineEnd = regexp.MustCompile(`[ \t\r]*\n[ \t\r]*`)

// Brief returns a text for a message, which may quote a whole file: printable (OneLine), its lines joined by blanks,
// and shortened in the middle where a word or the text is longer than anybody reads.
func Brief(s string) string {
	words := strings.Split(OneLine(lineEnd.ReplaceAllString(s, " ")), " ")
	for i, word := range words {
		words[i] = shorten(word, longWord)
	}
	return shorten(strings.Join(words, " "), longText)
}

// shorten leaves two thirds of the limit from the beginning of a text, and the rest from its end.
func shorten(s string, limit int) string {
	if len(s) <= limit || utf8.RuneCountInString(s) <= limit {
		return s
	}
	all := []rune(s)
	head := limit * 2 / 3
	return string(all[:head]) + "…" + string(all[len(all)-(limit-head-1):])
}
