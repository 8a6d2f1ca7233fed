// Package claim has one entry for each check of the scenario language: its sentences, the kinds of their arguments, the
// evidence that it needs, how it is judged, and ways to break a lab so that it becomes false. A new check is one file
// here and its test; the parser, the lab, the matchers for suites in Go, the mutants and the reference use the entry.
//
// The package is pure: anybody may import it, and it never touches the kernel. A claim that needs an answer of the
// kernel or the network states its Question, and package lab provides the answer in the Evidence.
package claim

import "netnscheck/harness/state"

// Claim is the meaning of a check. The concrete types are structs of this package; their field Not is the negative form
// of the sentence. If a namespace or an interface that a claim is about does not exist, the claim is false, and so is
// its negative form.
type Claim interface {
	// Sentence is the canonical sentence of the claim.
	Sentence() string
	// Needs is the evidence that Judge needs.
	Needs() Needs
	// Judge compares the claim with the evidence.
	Judge(known Evidence) Finding
	// Mutants are ways to make the claim false in a lab in which it is true.
	Mutants() Mutants
}

// Iface is the name of an interface and of its namespace.
type Iface struct{ Name, Netns string }

// Finding is the result of Claim.Judge.
type Finding struct {
	Holds bool
	// Found describes the actual state, for messages.
	Found string
	// Err is the reason if the claim could not be judged; Holds is then meaningless.
	Err error
}

// finding is the result for a claim that could be judged.
func finding(holds bool, found string) Finding { return Finding{Holds: holds, Found: found} }

// ofNamespace judges a claim about a namespace, which is false if the namespace does not exist.
func (e Evidence) ofNamespace(name string, judge func(*state.Namespace) Finding) Finding {
	if n := e.State.Namespace(name); n != nil {
		return judge(n)
	}
	return Missing(e.State, name)
}

// ofLink judges a claim about an interface, which is false if the interface does not exist.
func (e Evidence) ofLink(i Iface, judge func(*state.Namespace, *state.Link) Finding) Finding {
	return e.ofNamespace(i.Netns, func(n *state.Namespace) Finding {
		if l := n.Link(i.Name); l != nil {
			return judge(n, l)
		}
		return finding(false, noLink(e.State, n, i.Name))
	})
}
