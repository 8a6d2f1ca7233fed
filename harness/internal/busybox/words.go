package busybox

import (
	"slices"
	"strings"

	"netnscheck/harness/scenario/operation"
)

// argv is the busybox command line of an operation: the words of iproute2 in full, with a few exceptions.
func argv(op operation.Operation) []string {
	words := operation.Command{Op: op}.Argv()
	switch op := op.(type) {
	case operation.RuleChange:
		if op.Rule.Type != "" { // busybox needs the word type before the last word
			words = slices.Insert(words, len(words)-1, "type")
		}
	case operation.NeighbourFlush, operation.Show:
		if i := slices.Index(words, "neighbour"); i >= 0 { // the object; no option has this form
			words[i] = "neigh"
		}
	}
	return append([]string{name}, words...)
}

// showWords are the words that busybox knows after each object and verb, with and without a value.
var showWords = map[string]struct{ valued, alone string }{
	"link show":      {"dev", "up"},
	"address show":   {"dev to scope label", "up"},
	"route show":     {"dev oif iif via table from to root match exact scope", ""},
	"route get":      {"from iif oif dev", ""},
	"neighbour show": {"dev to nud", ""},
	"rule show":      {"", ""},
}

// shows reports whether busybox knows all words of a command that only shows something. One word may be the link or
// address itself.
func shows(op operation.Show) bool {
	known, ok := showWords[op.Object+" "+op.Verb]
	if !ok || slices.ContainsFunc(op.Options, func(o string) bool {
		return !slices.Contains([]string{"-4", "-6", "-oneline"}, o)
	}) {
		return false
	}
	itself := op.Object != "rule"
	for words := op.Args; len(words) > 0; words = words[1:] {
		switch word := words[0]; {
		case slices.Contains(strings.Fields(known.alone), word):
		case slices.Contains(strings.Fields(known.valued), word):
			if words = words[1:]; len(words) == 0 {
				return true // busybox refuses it: the value is missing
			}
			if word == "dev" && tooLong(words[0]) || word == "table" && highTable(words[0]) {
				return false
			}
		case itself:
			if itself = false; op.Object == "link" && tooLong(word) {
				return false
			}
		default:
			return false
		}
	}
	return true
}
