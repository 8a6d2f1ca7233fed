// Package claim has one entry for each check of the scenario language: the sentences that say it, the kinds of their
// arguments, what has to be known before it can be judged, how it is judged, and how a lab is broken so that it turns
// false. A new check is one file here and a test beside it; the parser, the harness, the matchers for suites in Go, the
// mutants and the reference follow from the entry.
//
// The package is pure: anybody may import it, it imports only scenario/operation, state, diagnose, its causes and
// nearest, and it never touches the kernel. What a claim has to ask of the kernel or the network it asks by kind
// (Question), and the package lab brings the answer (Evidence).
package claim

import "netnscheck/harness/state"

// Claim is the meaning of a check. The concrete types are structs of this package; Not in one of them is the negative
// form of the sentence. A claim presupposes its subjects: where a namespace or an interface that it is about is
// missing, the claim is false, the negative one too.
type Claim interface {
	// Sentence is the claim in the words of the format, in one canonical form.
	Sentence() string
	// Needs says what has to be known before the claim can be judged.
	Needs() Needs
	// Judge compares the claim with what is known.
	Judge(known Evidence) Finding
	// Mutants are ways to make the claim false in a lab in which it is true.
	Mutants() Mutants
}

// Iface names an interface and the namespace it is looked for in.
type Iface struct{ Name, Netns string }

// Finding is what a look at a claim brought.
type Finding struct {
	Holds bool
	// Found is what is there, in words.
	Found string
	// Err says why the claim could not be judged; Holds means nothing then.
	Err error
}

// finding is what a look brought where the claim could be judged.
func finding(holds bool, found string) Finding { return Finding{Holds: holds, Found: found} }

// ofNamespace judges something about a namespace that has to be there.
func (e Evidence) ofNamespace(name string, judge func(*state.Namespace) Finding) Finding {
	if n := e.State.Namespace(name); n != nil {
		return judge(n)
	}
	return Missing(e.State, name)
}

// ofLink judges something about an interface that has to be there.
func (e Evidence) ofLink(i Iface, judge func(*state.Namespace, *state.Link) Finding) Finding {
	return e.ofNamespace(i.Netns, func(n *state.Namespace) Finding {
		if l := n.Link(i.Name); l != nil {
			return judge(n, l)
		}
		return finding(false, noLink(e.State, n, i.Name))
	})
}
