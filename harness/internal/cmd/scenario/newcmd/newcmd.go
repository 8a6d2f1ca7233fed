// Package newcmd is the subcommand new, which begins a scenario from a template; new is a predeclared name. Only the
// group scenario imports it.
package newcmd

import (
	_ "embed"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"netnscheck/harness/internal/cmd/scenario/newfile"
	"netnscheck/harness/internal/cmd/screen"
	"netnscheck/harness/internal/cmd/status"
	"netnscheck/harness/nearest"
	"netnscheck/harness/recording"
	"netnscheck/harness/scenario"
	"netnscheck/scenarios"
)

//go:embed lesson.md
var lesson string

//go:embed challenge.md
var challenge string

// templates are the templates by the kinds that have one. Each passes `harness scenario check` as it is.
var templates = map[scenario.Kind]string{scenario.Lesson: lesson, scenario.Challenge: challenge}

var kinds = []string{string(scenario.Lesson), string(scenario.Challenge)}

// Command is `harness scenario new`.
func Command(s *screen.Screen) *cobra.Command {
	var kind, dir string
	c := &cobra.Command{
		Use:   "new ID",
		Short: "Begin a scenario: write ID.md from a template that passes",
		Long: `Writes ID.md: a small scenario with each part of the language, which passes
'harness scenario check' as it is. Replace its parts by yours, one at a time.`,
		Args:              status.Args(1, 1, "the id of the new scenario"),
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(_ *cobra.Command, args []string) error {
			return create(s, args[0], kind, dir)
		},
	}
	c.Flags().StringVar(&kind, "kind", kinds[0], "`KIND` lesson, or challenge: learners do not see its\ncommands")
	c.Flags().StringVar(&dir, "in", ".", "write the file into this `DIR`")
	c.RegisterFlagCompletionFunc("kind", cobra.FixedCompletions(kinds, cobra.ShellCompDirectiveNoFileComp))
	c.MarkFlagDirname("in")
	return c
}

func create(s *screen.Screen, id, kind, dir string) error {
	if err := checkID(id); err != nil {
		return err
	}
	if !slices.Contains(kinds, kind) {
		return status.Usagef("--kind %q: want %s%s", kind, strings.Join(kinds, " or "), nearest.DidYouMean(kind, kinds))
	}
	path := filepath.Join(dir, id+".md")
	text := strings.NewReplacer("TITLE", recording.TitleOf(id), "ID.md",
		id+".md").Replace(templates[scenario.Kind(kind)])
	if err := newfile.Write(path, text); err != nil {
		return err
	}
	_, err := fmt.Fprintf(s.Out, "wrote %s\nto play it: %s\nto read it as a learner does: %s\n", path,
		s.Type("scenario check "+path), s.Type("scenario preview "+path))
	return err
}

// checkID refuses what is no id, and ids of the catalogue.
func checkID(id string) error {
	if err := scenario.CheckID(id); err != nil {
		if like := idLike(strings.TrimSuffix(id, ".md")); like != "" {
			return status.Usagef("begin the scenario %q: %w; did you mean %s?", id, err, like)
		}
		return status.Usagef("begin the scenario %q: %w", id, err)
	}
	if known, err := scenarios.ByID(id); err == nil {
		return status.Usagef("begin the scenario %s: the catalogue has this id already (%s); choose another one", id,
			known.File)
	}
	return nil
}

// idLike is an id made of the letters and digits of a text; "" if there are none.
func idLike(text string) string {
	words := strings.FieldsFunc(strings.ToLower(text), func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < '0' || r > '9')
	})
	if like := strings.Join(words, "-"); scenario.CheckID(like) == nil {
		return like
	}
	return ""
}
