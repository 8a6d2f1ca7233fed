package busybox

import (
	"errors"
	"path/filepath"
	"slices"
	"strings"

	"netnscheck/harness/internal/program"
	"netnscheck/harness/scenario"
	"netnscheck/harness/scenario/operation"
)

// way is how a command is run.
type way struct {
	by    scenario.By
	netns string              // where; "" is the host
	argv  []string            // the program and its arguments, unless the harness runs the command
	op    operation.Operation // the parsed command; nil if it does not parse
}

// way decides who runs a command.
func (d *Driver) way(cmd scenario.Command) (way, error) {
	ns, words := operation.Enter(cmd.Argv)
	if len(words) == 0 || !isOurs(words[0]) {
		return named(cmd, ns, words)
	}
	spoken := way{by: scenario.Busybox, netns: ns, argv: append([]string{name}, words...)}
	c, err := operation.Parse(cmd.Argv)
	if err == nil {
		if _, lacks := formOf(c.Op); lacks {
			return way{by: scenario.Harness}, d.harnessCanSay(cmd)
		}
		spoken.op, spoken.argv = c.Op, argv(c.Op)
		return spoken, nil
	}
	var unknown *operation.UnknownWord
	switch {
	case !errors.As(err, &unknown): // iproute2 refuses it by itself
		if refusesToo(words) {
			return spoken, nil
		}
		return way{by: scenario.Harness}, nil
	case unknown.Typo && cmd.Status.Refusal() && refusesToo(words):
		return spoken, nil
	}
	return way{}, &scenario.CannotSay{Driver: name, Word: unknown.Word}
}

// ours are the programs in whose place busybox runs.
var ours = []string{"ip", "ping", "ping6"}

func isOurs(program string) bool { return slices.Contains(ours, filepath.Base(program)) }

// named is the way for any other program.
func named(cmd scenario.Command, ns string, words []string) (way, error) {
	if len(words) == 0 {
		return way{by: scenario.Harness}, nil // refused: there is no command
	}
	if err := program.Behind(name, words, ours...); err != nil {
		return way{}, err
	}
	return way{by: scenario.Named, netns: ns, argv: words}, program.Installed(cmd)
}

// harnessCanSay reports whether the harness can run the command in place of busybox.
func (d *Driver) harnessCanSay(cmd scenario.Command) error {
	err := d.harness.CanSay(cmd)
	var cannot *scenario.CannotSay
	if errors.As(err, &cannot) {
		return &scenario.CannotSay{Driver: name, Word: cannot.Word}
	}
	return err
}

// refusesToo reports whether busybox itself refuses a command that iproute2 refuses before it asks the kernel. It
// mostly does, with these exceptions: it pings without end for -c 0, takes any word for the name of a new link and the
// last word for the name of a link to delete, accepts a rule without any words, and takes a route without a destination
// for the default route.
func refusesToo(words []string) bool {
	if filepath.Base(words[0]) != "ip" {
		return false
	}
	object, verb, rest := operation.Subject(words)
	switch object {
	case "netns":
		return false
	case "link":
		return verb != "add" && verb != "delete"
	case "rule":
		return len(rest) > 0
	case "route":
		changes := slices.Contains([]string{"add", "change", "replace", "append", "delete"}, verb)
		return !changes || len(rest) > 0 && isDestination(rest[0])
	}
	return true
}

func isDestination(word string) bool {
	return slices.Contains([]string{"default", "all", "any", "to"}, word) || strings.ContainsAny(word, "0123456789:")
}
