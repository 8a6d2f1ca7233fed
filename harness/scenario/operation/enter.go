package operation

import (
	"path"
	"slices"
)

// Enter strips the words that enter a namespace, `-n NAME` and `netns exec NAME`. It returns the namespace and the
// words of the command that runs there, as written, even if Parse does not know them. A command for all namespaces
// enters none.
func Enter(argv []string) (netns string, left []string) {
	left = argv
	for len(left) > 0 && path.Base(left[0]) == "ip" {
		options, words, err := parseIPOptions(left[1:])
		if err != nil || options.all || options.batch != "" {
			break
		}
		if options.netns != "" {
			netns, left = options.netns, slices.Concat(left[:1], options.shown, words)
		}
		object, verb, rest := Subject(left)
		if object != "netns" || verb != "exec" || len(rest) < 2 || rest[0] == "" {
			break
		}
		netns, left = rest[0], rest[1:]
	}
	return netns, left
}

// Subject reads the first words of an ip command, even if Parse does not know it: its object and verb in full, "" if
// iproute2 does not know them, and the rest.
func Subject(words []string) (object, verb string, rest []string) {
	_, words, err := parseIPOptions(words[1:])
	if err != nil || len(words) == 0 {
		return "", "", nil
	}
	object, _ = objects.find(words[0])
	if len(words) == 1 {
		return object, "", nil
	}
	verbs := map[string]grammar{"link": linkVerbs, "address": addressVerbs, "route": routeVerbs, "rule": ruleVerbs,
		"neighbour": neighbourVerbs, "netns": netnsVerbs}
	verb, _ = verbs[object].find(words[1])
	return object, verb, words[2:]
}
