package claim

import (
	"slices"
	"strings"
)

// phrase is a run of words of a form: a qualifier, which a sentence may leave out, or the words between two qualifiers.
type phrase struct {
	qualifier bool
	parts     []part
	first     int // the place of its first argument among those of the form
}

// part is a token of a form; slot is nil for a fixed word.
type part struct {
	token
	slot *Slot
}

// more is the word of a form after an argument that may be repeated.
const more = "…"

// phrasesOf splits the sentence of a form at its brackets.
func phrasesOf(sentence string, own map[string]Slot) (phrases []phrase) {
	now, first := phrase{}, 0
	end := func() {
		if len(now.parts) > 0 {
			now.first = first
			phrases = append(phrases, now)
			first += len(now.arguments())
		}
		now = phrase{}
	}
	for _, t := range tokenize(sentence) {
		closes := false
		if !t.span {
			if word, opens := strings.CutPrefix(t.word, "["); opens {
				end()
				now.qualifier, t.word = true, word
			}
			t.word, closes = strings.CutSuffix(t.word, "]")
		}
		if t.word != "" {
			now.parts = append(now.parts, partOf(t, own))
		}
		if closes {
			end()
		}
	}
	end()
	return phrases
}

func partOf(t token, own map[string]Slot) part {
	p := part{token: t}
	if slot, ok := own[t.word]; ok && t.span {
		p.slot = &slot
	} else if slot, ok := slots[t.word]; ok && t.span {
		p.slot = &slot
	}
	return p
}

func (p phrase) arguments() (args []Argument) {
	for _, t := range p.parts {
		if t.slot != nil {
			args = append(args, Argument{t.word, *t.slot})
		}
	}
	return args
}

// fitted are the arguments of a sentence that has a form, and the phrases that it uses.
type fitted struct {
	args []given
	uses phraseSet
}

// given is the text of an argument, and its place among those of the form.
type given struct {
	place int
	text  string
}

// phraseSet has a bit for each phrase of a form.
type phraseSet uint

func (s phraseSet) has(i int) bool { return s&(1<<i) != 0 }

// fit compares a sentence with the form, whatever its arguments are. Wherever the words of the form do not go on, there
// may be a qualifier, each once in the sentence.
func (f Form) fit(sentence []token) (fitted, bool) {
	r := reading{form: f, rest: sentence}
	for i, p := range f.phrases {
		if !p.qualifier && !r.phrase(i, r.qualifier) {
			return r.found, false
		}
	}
	for len(r.rest) > 0 {
		if !r.qualifier() {
			return r.found, false
		}
	}
	return r.found, true
}

// reading is a sentence that is compared with a form.
type reading struct {
	form  Form
	rest  []token // what is not yet read of the sentence
	found fitted
}

// phrase reads a phrase of the form. Before a part that does not fit, between reads what may be there.
func (r *reading) phrase(i int, between func() bool) bool {
	place := r.form.phrases[i].first
	for _, t := range r.form.phrases[i].parts {
		args, rest, ok := t.fit(r.rest)
		for !ok {
			if !between() {
				return false
			}
			args, rest, ok = t.fit(r.rest)
		}
		for _, text := range args {
			r.found.args = append(r.found.args, given{place, text})
			place++
		}
		r.rest = rest
	}
	r.found.uses |= 1 << i
	return true
}

// qualifier reads a qualifier that the sentence has not used yet; if there is none, it reads nothing.
func (r *reading) qualifier() bool {
	nothing := func() bool { return false }
	for i, p := range r.form.phrases {
		if !p.qualifier || r.found.uses.has(i) {
			continue
		}
		before := *r
		if r.phrase(i, nothing) {
			return true
		}
		*r = before
	}
	return false
}

// fit compares the beginning of a sentence with the part. Some fixed words are code spans (`refused`).
func (p part) fit(sentence []token) (args []string, rest []token, ok bool) {
	if p.word == more && !p.span {
		for len(sentence) > 1 && sentence[0] == (token{word: ","}) && sentence[1].span {
			args, sentence = append(args, sentence[1].word), sentence[2:]
		}
		return args, sentence, true
	}
	switch {
	case len(sentence) == 0 || p.span != sentence[0].span || p.slot == nil && p.word != sentence[0].word:
		return nil, nil, false
	case p.slot != nil:
		args = []string{sentence[0].word}
	}
	return args, sentence[1:], true
}

// with is the sentence of the form with some of its qualifiers.
func (f Form) with(uses phraseSet) string {
	if !slices.ContainsFunc(f.phrases, func(p phrase) bool { return p.qualifier }) {
		return f.Sentence
	}
	var tokens []token
	for i, p := range f.phrases {
		if p.qualifier && !uses.has(i) {
			continue
		}
		for _, t := range p.parts {
			tokens = append(tokens, t.token)
		}
	}
	return join(tokens)
}

// Examples are sentences of the form with its examples as arguments: without a qualifier, and with each one.
func (f Form) Examples() []string {
	examples := []string{f.with(0)}
	for i, p := range f.phrases {
		if p.qualifier {
			examples = append(examples, f.with(1<<i))
		}
	}
	examples[0] = strings.TrimSuffix(examples[0], " "+more)
	return examples
}

// Uses are those of the examples whose form and qualifier a sentence uses.
func (f Form) Uses(sentence string) (examples []string) {
	found, ok := f.fit(tokenize(sentence))
	if !ok {
		return nil
	}
	for i, p := range f.phrases {
		if p.qualifier && found.uses.has(i) {
			examples = append(examples, f.with(1<<i))
		}
	}
	if len(examples) == 0 {
		examples = f.Examples()[:1]
	}
	return examples
}
