package claim

import (
	"net"
	"net/netip"
	"slices"
	"sync"
)

// Entry describes one check for the parser and the reference. The rest are the methods of its claim.
type Entry struct {
	// Place orders the checks in the reference, and decides if two forms are equally near to an unknown sentence. A new
	// entry takes a free number next to similar ones.
	Place int
	// Means is the meaning of the check, one line for the reference.
	Means string
	Forms []Form
	// Slots are the kinds of the arguments, by the examples in the forms. Common ones (`N`, `X`, …) are in slots and
	// need not be listed.
	Slots map[string]Slot
	// Fixed are the code spans in the forms that are fixed words, such as `refused`, not arguments.
	Fixed []string
}

// Form is one sentence of a check. Each code span in it is an argument, written as an example (see Slot), or a fixed
// word. `…` after the last argument allows more of the same kind, separated by commas. Words in brackets are a
// qualifier, which a sentence may leave out, or have in another place: [with the mark `5`].
type Form struct {
	Sentence string
	// Negative is set if the sentence is the negative form of another one.
	Negative bool

	claim   func(a arguments) Claim
	phrases []phrase   // of the sentence
	args    []Argument // of all phrases
}

// says is a positive form, denies a negative one.
func says(sentence string, c func(a arguments) Claim) Form { return Form{Sentence: sentence, claim: c} }

func denies(sentence string, c func(a arguments) Claim) Form {
	return Form{Sentence: sentence, Negative: true, claim: c}
}

// Slot is the kind of an argument.
type Slot struct {
	// What describes the expected value, for example "an MTU from 1 to 2147483647".
	What string
	read func(text string) (any, error)
}

// Argument is a slot in a form, with its example.
type Argument struct {
	Example string
	Slot
}

// Arguments are the arguments of a form from left to right, those of its qualifiers too.
func (f Form) Arguments() []Argument { return f.args }

// Fits reports whether a sentence has this form, whatever its arguments are.
func (f Form) Fits(sentence string) bool {
	_, ok := f.fit(tokenize(sentence))
	return ok
}

var entries []Entry

// add registers an entry; each file calls it from init.
func add(e Entry) { entries = append(entries, e) }

// Entries are all checks, in the order of the reference.
var Entries = sync.OnceValue(func() []Entry {
	slices.SortFunc(entries, func(a, b Entry) int { return a.Place - b.Place })
	for _, e := range entries {
		for i := range e.Forms {
			f := &e.Forms[i]
			f.phrases = phrasesOf(f.Sentence, e.Slots)
			for _, p := range f.phrases {
				f.args = append(f.args, p.arguments()...)
			}
		}
	}
	return entries
})

// forms are the forms of all entries. Their fixed words and the places of their arguments distinguish them.
var forms = sync.OnceValue(func() (all []Form) {
	for _, e := range Entries() {
		all = append(all, e.Forms...)
	}
	return all
})

// arguments are the values of a form's arguments from left to right, of the types that the slots return. Those of a
// qualifier that the sentence leaves out are nil, which the methods read as zero.
type arguments []any

func (a arguments) text(i int) string          { return valueAt[string](a, i) }
func (a arguments) int(i int) int              { return valueAt[int](a, i) }
func (a arguments) count(i int) uint64         { return valueAt[uint64](a, i) }
func (a arguments) addr(i int) netip.Addr      { return valueAt[netip.Addr](a, i) }
func (a arguments) prefix(i int) netip.Prefix  { return valueAt[netip.Prefix](a, i) }
func (a arguments) mac(i int) net.HardwareAddr { return valueAt[net.HardwareAddr](a, i) }

func valueAt[T any](a arguments, i int) (zero T) {
	if a[i] == nil {
		return zero
	}
	return a[i].(T)
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
