package scenario

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"netnscheck/harness/nearest"
)

// Values choose the values of a scenario's variables. The zero Values are the defaults.
type Values struct {
	// Set are values by the names of their variables.
	Set map[string]string
	// Seed is any text, such as the name of a learner. It chooses the values that Set does not: the same ones for the
	// same seed, scenario and variable.
	Seed string
}

// value is the value of a variable of a scenario with this id; with an error it is the default.
func (v Values) value(id string, of Var) (string, error) {
	if value, ok := v.Set[of.Name]; ok {
		if err := of.allows(value); err != nil {
			return of.Default, err // so that the lines that use it have no problem, too
		}
		return value, nil
	}
	if v.Seed == "" || len(of.Choices) == 0 {
		return of.Default, nil
	}
	sum := sha256.Sum256([]byte(v.Seed + "\x00" + id + "\x00" + of.Name))
	random := rand.NewPCG(binary.BigEndian.Uint64(sum[:8]), binary.BigEndian.Uint64(sum[8:16]))
	p, err := parsePattern(of.Choices[random.Uint64()%uint64(len(of.Choices))])
	if err != nil {
		return of.Default, err
	}
	return p.value(func(r numbers) uint64 { return r.low + random.Uint64()%(r.high-r.low+1) }), nil
}

// allows reports why a variable cannot have a value. One without choices can have any line of text.
func (v Var) allows(value string) error {
	if !isLine(value) {
		return errors.New("expected one line of text")
	}
	if len(v.Choices) == 0 {
		return nil
	}
	for _, choice := range v.Choices {
		if p, err := parsePattern(choice); err == nil && p.matches(value) {
			return nil
		}
	}
	return fmt.Errorf("expected %s, found %q%s", strings.Join(v.Choices, " or "), value,
		nearest.DidYouMean(value, v.Choices))
}

// isLine reports whether a value is one line of text, as a scenario's file has it: commands and reports cannot have a
// zero byte, and reports nothing but UTF-8.
func isLine(value string) bool {
	return utf8.ValidString(value) && !strings.ContainsAny(value, "\r\n\x00")
}

// bounds are the first and the last value of each choice, which a review looks at.
func (v Var) bounds() (values []string) {
	for _, choice := range v.Choices {
		p, err := parsePattern(choice)
		if err != nil {
			continue
		}
		for _, value := range []string{p.first(), p.value(func(r numbers) uint64 { return r.high })} {
			if !slices.Contains(values, value) {
				values = append(values, value)
			}
		}
	}
	return values
}

// pattern is a choice of values: words and ranges of numbers, such as 10.{1..200}.0.0/24. Its values are never listed:
// there may be very many.
type pattern []piece

// piece is a range if high is not 0, or else a word.
type piece struct {
	word string
	numbers
}

// numbers are those from low to high.
type numbers struct{ low, high uint64 }

var (
	rangeUse  = regexp.MustCompile(`\{[^{}]*\.\.[^{}]*\}`)
	rangeForm = regexp.MustCompile(`^\{(0|[1-9][0-9]{0,8})\.\.(0|[1-9][0-9]{0,8})\}$`)
)

// parsePattern reads a choice. Braces with two dots in them are a range; other braces are text.
func parsePattern(text string) (pattern, error) {
	var p pattern
	at := 0
	for _, use := range rangeUse.FindAllStringIndex(text, -1) {
		r, err := parseRange(text[use[0]:use[1]])
		if err != nil {
			return nil, err
		}
		p = append(p, piece{word: text[at:use[0]]}, piece{numbers: r})
		at = use[1]
	}
	return append(p, piece{word: text[at:]}), nil
}

// isPattern reports whether a text has a range.
func isPattern(text string) bool { return rangeUse.MatchString(text) }

func parseRange(text string) (numbers, error) {
	m := rangeForm.FindStringSubmatch(text)
	if m == nil {
		return numbers{}, fmt.Errorf(
			"a range is written {1..200}, with two numbers from 0 to 999999999 without zeros in front, "+
				"found %s", text)
	}
	low, _ := strconv.ParseUint(m[1], 10, 64) // the expression admits only such numbers
	high, _ := strconv.ParseUint(m[2], 10, 64)
	if low >= high {
		return numbers{}, fmt.Errorf("a range is written {1..200}, the smaller number first, found %s", text)
	}
	return numbers{low, high}, nil
}

// value is a value of the pattern, with these numbers.
func (p pattern) value(number func(numbers) uint64) string {
	var b strings.Builder
	for _, one := range p {
		b.WriteString(one.word)
		if one.high > 0 {
			b.WriteString(strconv.FormatUint(number(one.numbers), 10))
		}
	}
	return b.String()
}

// first is the first value.
func (p pattern) first() string { return p.value(func(r numbers) uint64 { return r.low }) }

// matches reports whether a text is a value of the pattern. Ranges side by side may divide its digits in several ways,
// so all positions are followed that the pieces so far may end at.
func (p pattern) matches(text string) bool {
	ends := map[int]bool{0: true}
	for _, one := range p {
		next := map[int]bool{}
		for at := range ends {
			if one.high == 0 {
				if strings.HasPrefix(text[at:], one.word) {
					next[at+len(one.word)] = true
				}
				continue
			}
			for end := at + 1; end <= len(text) && end-at <= 9; end++ {
				if one.contains(text[at:end]) {
					next[end] = true
				}
			}
		}
		ends = next
	}
	return ends[len(text)]
}

// contains reports whether a text is a number of the range, as value writes it.
func (r numbers) contains(text string) bool {
	n, err := strconv.ParseUint(text, 10, 64)
	return err == nil && strconv.FormatUint(n, 10) == text && n >= r.low && n <= r.high
}
