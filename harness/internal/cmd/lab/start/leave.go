package start

import (
	"fmt"
	"os"
	"strings"

	"netnscheck/harness/internal/cmd/screen"
	"netnscheck/harness/scenario"
	"netnscheck/harness/sitting/page"
	"netnscheck/harness/term"
)

// again is the command line that goes on with the lab of a scenario that the learner named.
func (a *asked) again(name string) string {
	again := "lab start " + term.ShellWord(name)
	if a.challenge.On {
		again += " --challenge"
	}
	return again
}

// leave says how far the learner came, how to go on, and where the file is that he may hand in.
func (k *keeper) leave(s *screen.Screen, sc *scenario.Scenario, again string) error {
	if k.lab == nil {
		return nil
	}
	sheet := s.Sheet()
	if s.Guest != "" {
		sheet.Line("", fmt.Sprintf("The guest %s ends, and nothing of what you did is kept.", term.OneLine(s.Guest)))
		return sheet.Err()
	}
	done, all := k.file.DoneSteps(), len(k.file.Steps)
	title := page.WithValues(sc, sc.Title)
	switch {
	case done == all && all == 1:
		sheet.Line("", fmt.Sprintf("“%s” is done.", title))
	case done == all:
		sheet.Line("", fmt.Sprintf("All %d steps of “%s” are done.", all, title))
	case all == 1:
		sheet.Line("", fmt.Sprintf("“%s” is not done yet. To go on:", title))
		sheet.Verbatim("  ", s.Type(again))
	default:
		sheet.Line("", fmt.Sprintf("%d of %d steps of “%s” are done. To go on:", done, all, title))
		sheet.Verbatim("  ", s.Type(again))
	}
	sheet.Line("", "What you did, to be handed in if your teacher asks for it:")
	path := k.lab.Progress()
	if home := os.Getenv("HOME"); home != "" && strings.HasPrefix(path, home+"/") {
		path = "~" + strings.TrimPrefix(path, home)
	}
	sheet.Verbatim("  ", path)
	return sheet.Err()
}
