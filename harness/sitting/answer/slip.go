package answer

import (
	"errors"
	"slices"
	"strings"
	"unicode"

	"netnscheck/harness/scenario"
	"netnscheck/harness/scenario/operation"
	"netnscheck/harness/scenario/started"
	"netnscheck/harness/sitting"
)

// slip is a command that was refused because of how it is written: a word is missing, or two are in the wrong order.
// Most words of a misspelt command are right, so one that is missing is told only if just one is, at just one place.
func (s *search) slip() *sitting.Answer {
	if a := s.withoutIP(); a != nil {
		return a
	}
	if s.sole.err == nil {
		return nil
	}
	if word, before := missing(*s.sole, s.right); word != "" && s.Scenario.Kind != scenario.Challenge {
		return s.wordMissing(word, before)
	}
	return s.misordered()
}

func (s *search) wordMissing(word, before string) *sitting.Answer {
	return &sitting.Answer{Kind: Typo, Check: s.about(),
		Title: "A word is missing: " + code(word) + ", before " + code(before)}
}

// withoutIP is for a command of ip that does not begin with ip, such as one behind `ip netns exec NAME`.
func (s *search) withoutIP() *sitting.Answer {
	run, ok := s.sole.op.(operation.Run)
	if !ok || len(run.Argv) < 2 {
		return nil
	}
	object := run.Argv[0]
	if s.After.Namespace(orHost(s.sole.netns)) == nil {
		return nil
	}
	if !slices.Contains([]string{"address", "addr", "link", "route", "rule", "neigh", "neighbour", "netns"}, object) {
		return nil
	}
	if _, err := operation.Parse(append([]string{"ip"}, run.Argv...)); err != nil {
		return nil
	}
	a := s.wordMissing("ip", object)
	if s.sole.netns != "" {
		a.Text = "Behind " + code("ip netns exec "+s.sole.netns) + " stands a whole command, with its program."
	}
	return a
}

// missing is the one word by which a command that cannot be read becomes one of the right commands, and the word before
// which it belongs; "" if it is none or not the only one. Names and numbers are no such words: who leaves them out
// knows better what he meant.
func missing(wrong command, right []command) (word, before string) {
	if wrong.err == nil || wrong.op != nil || len(wrong.argv) < 2 {
		return "", ""
	}
	var candidates []string
	for _, r := range right {
		_, words := operation.Enter(r.argv)
		if r.op == nil || r.refused || r.netns != wrong.netns || len(words) != len(wrong.argv)+1 {
			continue
		}
		for _, w := range words[1:] {
			if isKeyword(w) && !slices.Contains(candidates, w) {
				candidates = append(candidates, w)
			}
		}
	}
	for _, candidate := range candidates {
		for at := 1; at < len(wrong.argv); at++ {
			whole := read(started.Command{Netns: wrong.netns,
				Argv: slices.Insert(slices.Clone(wrong.argv), at, candidate)})
			if whole.op == nil || !slices.ContainsFunc(right, func(r command) bool {
				return !r.refused && r.same(whole)
			}) {
				continue
			}
			if word != "" && word != candidate {
				return "", ""
			}
			word, before = candidate, wrong.argv[at]
		}
	}
	return word, before
}

// isKeyword reports whether a word consists of small letters, as those of ip do.
func isKeyword(word string) bool {
	return !strings.ContainsFunc(word, func(r rune) bool { return !unicode.IsLower(r) })
}

// misordered is for a command that becomes a right one if two neighbouring words change places, or of which the first
// two are those of ip the wrong way round.
func (s *search) misordered() *sitting.Answer {
	first, second := "", ""
	for at := 1; at+1 < len(s.sole.argv); at++ {
		other := slices.Clone(s.sole.argv)
		other[at], other[at+1] = other[at+1], other[at]
		c := read(started.Command{Netns: s.sole.netns, Argv: other})
		verb := at == 1 && isKeyword(other[1]) && isKeyword(other[2])
		if c.op == nil || !c.changes() || !verb && (!c.among(s.right) || s.Scenario.Kind == scenario.Challenge) {
			continue
		}
		if first != "" {
			return nil
		}
		first, second = other[at], other[at+1]
	}
	if first == "" {
		return nil
	}
	return &sitting.Answer{Kind: Typo, Check: s.about(), Title: "Two words are in the wrong order: it is " +
		code(first+" "+second)}
}

// unknownWord is for a word that ip does not know at its place.
func (s *search) unknownWord() *sitting.Answer {
	var unknown *operation.UnknownWord
	if !errors.As(s.sole.err, &unknown) || !unknown.Typo {
		return nil
	}
	a := &sitting.Answer{Kind: Typo, Check: s.about(), Title: code("ip") + " does not know the word " +
		code(unknown.Word)}
	switch {
	case unknown.Nearest != "":
		a.Title += "; did you mean " + code(unknown.Nearest) + "?"
	case s.After.Namespace(unknown.Word) != nil &&
		slices.Contains(s.sole.argv[:min(3, len(s.sole.argv))], unknown.Word):
		a.Title += "; a namespace is named with " + code("ip -n")
		a.Text = "A command works in a namespace with " + code("ip -n "+unknown.Word+" …") + ", or with " +
			code("ip netns exec "+unknown.Word+" ip …") + "."
	default:
		return nil
	}
	return a
}
