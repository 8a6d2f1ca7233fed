// Package nft reads rules and set elements in the words of nft(8), for checks that quote them. It may be imported by
// lab alone; it imports internal/netns, internal/observe and internal/program. It never changes a rule, and never runs
// the nft of a lab.
//
// The words are those of the program nft: package observe understands most rules, but not all, and a check compares a
// rule word by word with what a reader of `nft list` sees. Whether a chain or a set exists is asked by netlink, since
// nft distinguishes that from other refusals by its messages alone.
package nft

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"netnscheck/harness/internal/netns"
	"netnscheck/harness/internal/observe"
	"netnscheck/harness/internal/program"
)

// Name is the name of a chain, a set or a map. Its parts are identifiers of nft(8): nft reads them as its input.
type Name struct{ Family, Table, Name string }

func (n Name) String() string { return n.Family + " " + n.Table + " " + n.Name }

// Chain returns the rules of a chain in their order, without handles and values of counters. If there is no such chain,
// missing is set and known are the chains that there are.
func Chain(ctx context.Context, w *netns.World, ns string, of Name) (rules []string, missing bool, known []Name,
	err error) {
	if known, err = chains(ctx, w, ns); err != nil || !slices.Contains(known, of) {
		return nil, err == nil, known, err
	}
	output, err := run(ctx, w, ns, "-s", "-a", "list chain "+of.String())
	if err != nil {
		return nil, false, nil, err
	}
	if output.status == 0 {
		rules, err = rulesIn(output.text)
		return rules, false, nil, err
	}
	if known, err = chains(ctx, w, ns); err != nil || !slices.Contains(known, of) { // deleted meanwhile
		return nil, err == nil, known, err
	}
	return nil, false, nil, output.refusal()
}

func chains(ctx context.Context, w *netns.World, ns string) ([]Name, error) {
	names, err := observe.FilterChains(ctx, w, ns)
	return namesOf(names), err
}

// Element is the answer of a set to the question for an element.
type Element struct {
	// Found is the element as nft prints it, "" if there is none. Refusal is why nft could not look it up, "" if it
	// could.
	Found, Refusal string
	// All are the elements of the set as nft lists them. They are read only if none was found.
	All []string
}

// Lookup asks a set or a map for an element, by the kernel's own look-up: an address is found in the interval that it
// is in. If there is no such set, missing is set and known are those that there are.
func Lookup(ctx context.Context, w *netns.World, ns string, of Name, element string) (e Element, missing bool,
	known []Name, err error) {
	names, err := observe.FilterSets(ctx, w, ns)
	if err != nil {
		return Element{}, false, nil, err
	}
	set := find(names, of)
	if set == nil {
		return Element{}, true, namesOf(names), nil
	}
	answer, err := run(ctx, w, ns, fmt.Sprintf("get element %s { %s }", of, element))
	if err != nil {
		return Element{}, false, nil, err
	}
	if answer.status == 0 {
		found, err := elementsIn(answer.text)
		return Element{Found: strings.Join(found, ", ")}, false, nil, err
	}
	if !strings.Contains(answer.text, "No such file or directory") {
		e.Refusal = answer.message()
	}
	list := "list set "
	if set.Map {
		list = "list map "
	}
	all, err := run(ctx, w, ns, "-s", list+of.String())
	if err != nil {
		return Element{}, false, nil, err
	}
	if all.status != 0 {
		return Element{}, false, nil, all.refusal()
	}
	e.All, err = elementsIn(all.text)
	return e, false, nil, err
}

func find(names []observe.FilterName, of Name) *observe.FilterName {
	for i, n := range names {
		if (Name{n.Family, n.Table, n.Name}) == of {
			return &names[i]
		}
	}
	return nil
}

func namesOf(names []observe.FilterName) (all []Name) {
	for _, n := range names {
		all = append(all, Name{n.Family, n.Table, n.Name})
	}
	return all
}

// answer is what nft printed.
type answer struct {
	command string
	text    string
	status  int
}

// message is the first line of a refusal.
func (a answer) message() string {
	first, _, _ := strings.Cut(strings.TrimSpace(a.text), "\n")
	return strings.TrimPrefix(first, "Error: ")
}

func (a answer) refusal() error {
	return fmt.Errorf("run nft %s: status %d: %s", a.command, a.status, a.message())
}

func run(ctx context.Context, w *netns.World, ns string, words ...string) (answer, error) {
	text, cut, status, err := program.Witness(ctx, w, ns, append([]string{"nft"}, words...)...)
	a := answer{strings.Join(words, " "), text, status}
	if err == nil && cut {
		err = fmt.Errorf("run nft %s: it printed more than a check reads", a.command)
	}
	return a, err
}
