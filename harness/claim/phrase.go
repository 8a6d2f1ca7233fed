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

// fit compares a sentence with the form, whatever its arguments are.
func (f Form) fit(sentence []token) (found fitted, ok bool) {
	for i := 0; i < len(f.phrases); {
		if !f.phrases[i].qualifier {
			args, rest, ok := f.phrases[i].fit(sentence)
			if !ok {
				return found, false
			}
			found.args, found.uses, sentence = append(found.args, args...), found.uses|1<<i, rest
			i++
			continue
		}
		next := i + 1
		for next < len(f.phrases) && f.phrases[next].qualifier {
			next++
		}
		for k := i; k < next; k++ {
			if found.uses.has(k) {
				continue
			}
			if args, rest, ok := f.phrases[k].fit(sentence); ok {
				found.args, found.uses, sentence = append(found.args, args...), found.uses|1<<k, rest
				k = i - 1 // those before it may come after it
			}
		}
		i = next
	}
	return found, len(sentence) == 0
}

// fit compares the beginning of a sentence with the phrase. Some fixed words are code spans (`refused`).
func (p phrase) fit(sentence []token) (args []given, rest []token, ok bool) {
	add := func(text string) { args = append(args, given{p.first + len(args), text}) }
	for _, t := range p.parts {
		if t.word == more && !t.span {
			for len(sentence) > 1 && sentence[0] == (token{word: ","}) && sentence[1].span {
				add(sentence[1].word)
				sentence = sentence[2:]
			}
			continue
		}
		switch {
		case len(sentence) == 0 || t.span != sentence[0].span:
			return nil, nil, false
		case t.slot != nil:
			add(sentence[0].word)
		case t.word != sentence[0].word:
			return nil, nil, false
		}
		sentence = sentence[1:]
	}
	return args, sentence, true
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
