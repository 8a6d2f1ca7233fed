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

// way is how a command is carried out.
type way struct {
	by    scenario.By
	netns string              // where; "" is the host
	argv  []string            // what is run there, unless the harness does it
	op    operation.Operation // what that means; nil if it is not known
}

// way decides how a command is carried out.
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

// isOurs says whether a program is one that busybox stands in for.
func isOurs(program string) bool {
	return slices.Contains([]string{"ip", "ping", "ping6"}, filepath.Base(program))
}

// named is the way of a command of another program.
func named(cmd scenario.Command, ns string, words []string) (way, error) {
	if len(words) == 0 {
		return way{by: scenario.Harness}, nil // refused: there is no command
	}
	return way{by: scenario.Named, netns: ns, argv: words}, program.Installed(cmd)
}

// harnessCanSay asks whether the harness could carry it out in busybox's place.
func (d *Driver) harnessCanSay(cmd scenario.Command) error {
	err := d.harness.CanSay(cmd)
	var cannot *scenario.CannotSay
	if errors.As(err, &cannot) {
		return &scenario.CannotSay{Driver: name, Word: cannot.Word}
	}
	return err
}

// refusesToo says whether busybox itself refuses a command that iproute2 refuses before it asks the kernel. Mostly it
// does; but it pings without end for -c 0, takes any word for the name of a new link and the last one for that of a
// link to delete, and takes a rule of which nothing is said, and a route without a destination for the default.
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
