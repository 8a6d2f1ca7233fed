// Package explain is the subcommand that explains causes. Only the root imports it.
package explain

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"netnscheck/harness/diagnose/causes"
	"netnscheck/harness/internal/cmd/screen"
	"netnscheck/harness/internal/cmd/status"
	"netnscheck/harness/nearest"
)

type options struct {
	screen *screen.Screen
	cause  string // "" to list all
}

// Command is `harness explain`.
func Command(s *screen.Screen) *cobra.Command {
	o := options{screen: s}
	return &cobra.Command{
		Use:   "explain [CAUSE]",
		Short: "Explain a cause that diagnose names, or list all causes",
		Long: `Prints the page on a cause: what it is, its symptoms, what looks the same and
how to distinguish it, how to prove it with ip and nft, and how to fix it.
Without a cause it lists all of them, in the order in which a packet meets them.`,
		Args: status.Args(0, 1, "one cause"),
		ValidArgsFunction: func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			var words []string
			for c := range causes.All() {
				words = append(words, c.String()+"\t"+c.Summary())
			}
			if len(args) > 0 {
				words = nil
			}
			return words, cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return list(o)
			}
			o.cause = args[0]
			return run(o)
		},
	}
}

func list(o options) error {
	s := o.screen.Sheet()
	for i, family := range causes.Families() {
		if i > 0 {
			s.Line("", "")
		}
		s.Line("", family.String())
		for _, cause := range family.Causes() {
			s.Line(fmt.Sprintf("  %-24s ", cause), cause.Summary())
		}
	}
	return s.Err()
}

func run(o options) error {
	if cause, ok := causes.Parse(o.cause); ok {
		return o.screen.Page(cause.Page())
	}
	if near, ok := nearestCause(o.cause); ok {
		return status.Usagef("there is no cause %q, did you mean `harness explain %s`?", o.cause, near)
	}
	return status.Usagef("there is no cause %q; `harness explain` lists all causes", o.cause)
}

// nearestCause is the cause that was probably meant. It accepts the other ways to call something missing: route-missing
// is no-route.
func nearestCause(word string) (string, bool) {
	meant := map[string]string{}
	for _, cause := range causes.Words() {
		meant[cause] = cause
		if what, ok := strings.CutPrefix(cause, "no-"); ok {
			meant[what+"-missing"], meant["missing-"+what] = cause, cause
		}
		if what, ok := strings.CutSuffix(cause, "-missing"); ok {
			meant["no-"+what], meant["missing-"+what] = cause, cause
		}
	}
	near, ok := nearest.Word(word, slices.Sorted(maps.Keys(meant)))
	return meant[near], ok
}
