package recording

import (
	"regexp"
	"strings"
	"unicode/utf8"

	"netnscheck/harness/scenario"
)

// mostLines is how many lines of an output are kept.
const mostLines = 40

// anything stands for any text in a line, and alone for any lines.
const anything = "..."

// varying are texts that differ from run to run or from machine to machine, each with what takes its place. Indexes of
// interfaces differ between the drivers, times and addresses that the kernel chooses between any two runs.
var varying = []struct {
	find *regexp.Regexp
	with string
}{
	{regexp.MustCompile(`\b(?:[0-9]+(?:\.[0-9]+)?/)*[0-9]+(?:\.[0-9]+)?( ?ms)\b`), "...$1"},
	{regexp.MustCompile(`@if[0-9]+`), "@..."},
	{regexp.MustCompile(`^[0-9]+: ([^l]|l[^o])`), "...: $1"},
	{regexp.MustCompile(`\b[0-9]+sec\b`), "..."},
	{regexp.MustCompile(`\b(link-netnsid) [0-9]+`), "$1 ..."},
}

var chosen = regexp.MustCompile(`\b(([0-9a-f]{2}:){5}[0-9a-f]{2}|fe80::[0-9a-f:]+)`)

// expected are the lines that stand below a command: what it printed, with `...` for what varies, and nothing if that
// cannot be written. known are the texts of all commands: an address that an author chose is not replaced.
func expected(c Command, known string) []string {
	first, second := printed(c.Output), printed(c.Again)
	lines := make([]string, 0, len(first))
	for i, line := range first {
		if i == len(second) {
			break
		}
		lines = append(lines, writable(common(fixed(line, known), fixed(second[i], known))))
	}
	if len(first) != len(second) || len(lines) > mostLines {
		lines = append(lines[:min(len(lines), mostLines)], anything)
	}
	if scenario.MatchOutput(lines, c.Output) != nil || scenario.MatchOutput(lines, c.Again) != nil {
		return []string{anything}
	}
	return lines
}

// printed are the lines of an output without the empty ones at its end.
func printed(output string) []string {
	text := strings.TrimRight(output, " \t\r\n")
	if text == "" {
		return nil
	}
	return strings.Split(text, "\n")
}

// fixed is a line with `...` for what is known to vary.
func fixed(line, known string) string {
	for _, v := range varying {
		line = v.find.ReplaceAllString(line, v.with)
	}
	return chosen.ReplaceAllStringFunc(line, func(address string) string {
		if strings.Contains(known, address) || strings.Trim(address, "0:") == "" || strings.Trim(address, "f:") == "" {
			return address
		}
		return anything
	})
}

// common is what two lines have in common, word by word.
func common(a, b string) string {
	if a == b {
		return a
	}
	x, y := strings.Fields(a), strings.Fields(b)
	if len(x) != len(y) {
		return anything
	}
	for i := range x {
		if x[i] != y[i] {
			x[i] = anything
		}
	}
	return strings.Join(x, " ")
}

var status = regexp.MustCompile(`^\[([0-9]+|!)\]$`)

// writable is a line that is read again as a line of output.
func writable(line string) string {
	line = strings.TrimRight(line, " \t\r")
	trimmed := strings.TrimSpace(line)
	switch {
	case !utf8.ValidString(line), strings.ContainsFunc(line, unwritable), strings.Contains(line, "{{"),
		status.MatchString(trimmed), trimmed == "(nothing)":
		return anything
	case strings.HasPrefix(line, "$"):
		return anything + line[1:]
	}
	return line
}
