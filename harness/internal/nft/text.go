package nft

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
)

var handle = regexp.MustCompile(`\s*# handle [0-9]+$`)

// rulesIn are the rules in the output of `nft -a list chain`: what ends with a handle, after the line that opens the
// chain. Lines without one are the type, the policy and the comment of the chain, or the beginning of a rule that nft
// wraps.
func rulesIn(output string) (rules []string, err error) {
	open, rule := false, ""
	for _, line := range lines(output) {
		line = strings.TrimSpace(line)
		switch {
		case !open:
			open = strings.HasPrefix(line, "chain ")
		case handle.MatchString(line):
			rules = append(rules, strings.TrimSpace(rule+" "+handle.ReplaceAllString(line, "")))
			rule = ""
		case rule == "" && (line == "}" || strings.HasPrefix(line, "comment ") || strings.HasSuffix(line, ";")):
		default:
			rule = strings.TrimSpace(rule + " " + line)
		}
	}
	if !open || rule != "" {
		return nil, fmt.Errorf("read what nft printed: expected a chain and its rules, found %q", output)
	}
	return rules, nil
}

// elementsIn are the elements in the output of `nft list set` and `nft get element`; an empty set has none.
func elementsIn(output string) (elements []string, err error) {
	const begin = "elements = {"
	for _, line := range lines(output) {
		line = strings.TrimSpace(line)
		if !strings.HasPrefix(line, begin) && elements == nil {
			continue
		}
		line = strings.TrimPrefix(line, begin)
		last := strings.HasSuffix(line, "}")
		for _, element := range outside(strings.TrimSuffix(line, "}"), ',') {
			if element = strings.TrimSpace(element); element != "" {
				elements = append(elements, element)
			}
		}
		if last {
			return elements, nil
		}
	}
	if elements != nil {
		return nil, errors.New("read what nft printed: the elements do not end")
	}
	return nil, nil
}

// lines are the lines of an output. A comment or a prefix in quotes may have a line break of its own.
func lines(output string) []string { return outside(output, '\n') }

// outside splits a text at a byte outside of quotes. nft has no way to write a quote inside of quotes.
func outside(text string, at byte) (parts []string) {
	start, quoted := 0, false
	for i := range len(text) {
		switch {
		case text[i] == '"':
			quoted = !quoted
		case text[i] == at && !quoted:
			parts = append(parts, text[start:i])
			start = i + 1
		}
	}
	return append(parts, text[start:])
}
