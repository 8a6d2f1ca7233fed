package claim

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"netnscheck/harness/scenario/operation"
	"netnscheck/harness/scenario/started"
)

// looking are the verbs of the programs that change things with other verbs, in full; nft(8) takes no abbreviations.
var looking = map[string][]string{
	"ip":     {"show", "list", "lst", "ls", "get", "monitor", "help", "identify", "pids", "list-id"},
	"bridge": {"show", "list", "lst", "ls", "get", "monitor", "help"},
	"tc":     {"show", "list", "lst", "ls", "get", "monitor", "help"},
	"nft":    {"list", "get", "describe", "monitor"},
}

// onlyLooks refuses a command that changes something: checks are evaluated more than once, before the commands of a
// section too. What a wrapper or a shell starts is not read.
func onlyLooks(argv []string) error {
	if name, _ := started.Behind(argv, "sudo"); name != "" {
		return errors.New("leave out sudo: commands run as root of the lab already")
	}
	_, left := operation.Enter(argv)
	if len(left) == 0 {
		return nil
	}
	cmd, err := operation.Parse(left)
	var unknown *operation.UnknownWord
	switch op := cmd.Op.(type) {
	case operation.Show, operation.SysctlShow, operation.Ping:
		return nil
	case operation.Run:
		return runLooks(op.Argv)
	case nil:
		if !errors.As(err, &unknown) {
			return nil // refused when it runs, with the words of the program
		}
		return runLooks(left) // an ip command without an operation
	}
	return changes(argv, "")
}

// runLooks judges a command by its verb.
func runLooks(argv []string) error {
	name := path.Base(argv[0])
	verbs, known := looking[name]
	if !known {
		return nil
	}
	var words []string
	for i, word := range argv[1:] {
		switch {
		// the value of an option
		case name != "nft" && slices.Contains([]string{"-n", "-netns", "-f", "-family"}, argv[i]):
		case name == "nft" && (word == "-f" || word == "--file" || word == "-i" || word == "--interactive"):
			return changes(argv, word)
		case len(words) > 0 || !strings.HasPrefix(word, "-"):
			words = append(words, word)
		}
	}
	if name == "nft" {
		commands := strings.FieldsFunc(strings.Join(words, " "), func(r rune) bool { return r == ';' || r == '\n' })
		for _, command := range commands {
			if verb := strings.Fields(command); len(verb) > 0 && !slices.Contains(verbs, verb[0]) {
				return changes(argv, verb[0])
			}
		}
		return nil
	}
	if len(words) > 0 && words[0] == "xfrm" { // ip xfrm state VERB
		words = words[1:]
	}
	if len(words) < 2 || slices.ContainsFunc(verbs, func(verb string) bool {
		return strings.HasPrefix(verb, words[1])
	}) {
		return nil
	}
	return changes(argv, words[1])
}

func changes(argv []string, word string) error {
	if word != "" {
		word = " (" + word + ")"
	}
	return fmt.Errorf("%q changes something%s, and a check only looks: put it into a console block",
		strings.Join(argv, " "), word)
}
