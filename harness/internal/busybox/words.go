package busybox

import (
	"reflect"
	"slices"

	"netnscheck/harness/scenario/operation"
)

// argv are the words with which busybox is told an operation.
func argv(op operation.Operation) []string {
	words := operation.Command{Op: op}.Argv()
	switch op := op.(type) {
	case operation.LinkSet:
		if op.TxQLen != nil {
			replace(words[3:], "txqueuelen", "qlen")
		}
	case operation.RuleChange:
		if op.Rule.Type != "" { // the last word
			words = slices.Insert(words, len(words)-1, "type")
		}
	case operation.Show, operation.NeighbourFlush:
		replace(words, "neighbour", "neigh")
	}
	return append([]string{name}, words...)
}

// replace puts another word in the place of the last one that is this.
func replace(words []string, word, other string) {
	for i := len(words) - 1; i >= 0; i-- {
		if words[i] == word {
			words[i] = other
			return
		}
	}
}

func equal(a, b any) bool { return reflect.DeepEqual(a, b) }

// countSet counts the fields of a struct that are not the zero value.
func countSet(s any) (n int) {
	for _, field := range reflect.ValueOf(s).Fields() {
		if !field.IsZero() {
			n++
		}
	}
	return n
}
