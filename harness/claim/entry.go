package claim

import (
	"net"
	"net/netip"
	"slices"
	"sync"
)

// Entry is one check: all that the language, the documents and the harness know of it beside the methods of its claim.
type Entry struct {
	// Place is where the check stands among the others, in the reference and where two forms are equally near to a
	// sentence. A new entry takes a free number beside its kin.
	Place int
	// Means is what the check means, in one line of the reference.
	Means string
	Forms []Form
	// Slots are the kinds of arguments that this check alone has, under the examples that stand for them in its forms.
	// Those of all checks (`N`, `X`, …) need not be named.
	Slots map[string]Slot
	// Fixed are the code spans of the forms that are no arguments but words, such as `refused`.
	Fixed []string
}

// Form is one sentence that a check can be. Each of its code spans is an argument, written as an example (see Slot), or
// a fixed word; `…` after an argument lets more of the same follow, with commas.
type Form struct {
	Sentence string
	// Negative says that the sentence denies what another one says.
	Negative bool

	claim func(a arguments) Claim
	parts []part     // of the sentence
	args  []Argument // those of the parts that are arguments
}

// says is a form that says something, denies one that denies it.
func says(sentence string, c func(a arguments) Claim) Form { return Form{Sentence: sentence, claim: c} }

func denies(sentence string, c func(a arguments) Claim) Form {
	return Form{Sentence: sentence, Negative: true, claim: c}
}

// Slot is a kind of argument.
type Slot struct {
	// What is expected, such as: an MTU from 1 to 2147483647.
	What string
	read func(text string) (any, error)
}

// Argument is a slot in a form, with the example that stands there.
type Argument struct {
	Example string
	Slot
}

// part is a token of a form; slot is what it stands for, nil for a fixed word.
type part struct {
	token
	slot *Slot
}

// Arguments are the arguments of a form from left to right.
func (f Form) Arguments() []Argument { return f.args }

// Fits says whether a sentence has this form, whatever its arguments are.
func (f Form) Fits(sentence string) bool {
	_, ok := f.fit(tokenize(sentence))
	return ok
}

var entries []Entry

// add is called by each file that has an entry, at the start of the program.
func add(e Entry) { entries = append(entries, e) }

// Entries are all checks, in the order of the reference.
var Entries = sync.OnceValue(func() []Entry {
	slices.SortFunc(entries, func(a, b Entry) int { return a.Place - b.Place })
	for _, e := range entries {
		for i := range e.Forms {
			f := &e.Forms[i]
			f.parts = partsOf(f.Sentence, e.Slots)
			for _, p := range f.parts {
				if p.slot != nil {
					f.args = append(f.args, Argument{p.word, *p.slot})
				}
			}
		}
	}
	return entries
})

// forms are the forms of all entries. Their fixed words and the places of their arguments tell them apart.
var forms = sync.OnceValue(func() (all []Form) {
	for _, e := range Entries() {
		all = append(all, e.Forms...)
	}
	return all
})

func partsOf(sentence string, own map[string]Slot) (parts []part) {
	for _, t := range tokenize(sentence) {
		p := part{token: t}
		if slot, ok := own[t.word]; ok && t.span {
			p.slot = &slot
		} else if slot, ok := slots[t.word]; ok && t.span {
			p.slot = &slot
		}
		parts = append(parts, p)
	}
	return parts
}

// arguments are the values of a sentence's code spans from left to right. A form asks for them as its slots made them.
type arguments []any

func (a arguments) text(i int) string         { return a[i].(string) }
func (a arguments) int(i int) int             { return a[i].(int) }
func (a arguments) count(i int) uint64        { return a[i].(uint64) }
func (a arguments) addr(i int) netip.Addr     { return a[i].(netip.Addr) }
func (a arguments) prefix(i int) netip.Prefix { return a[i].(netip.Prefix) }
func (a arguments) mac(i int) net.HardwareAddr {
	return a[i].(net.HardwareAddr)
}

// iface is `X` in `N`: two arguments.
func (a arguments) iface(i int) Iface { return Iface{Name: a.text(i), Netns: a.text(i + 1)} }

// texts are the arguments from i on.
func (a arguments) texts(i int) []string {
	var texts []string
	for ; i < len(a); i++ {
		texts = append(texts, a.text(i))
	}
	return texts
}
