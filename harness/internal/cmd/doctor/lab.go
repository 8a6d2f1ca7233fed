package doctor

import (
	"context"
	"fmt"
	"os"
	"slices"

	"netnscheck/harness/internal/cmd/input"
	"netnscheck/harness/internal/cmd/machine"
	"netnscheck/harness/internal/cmd/screen"
	"netnscheck/harness/internal/cmd/status"
	"netnscheck/harness/internal/session/store"
	"netnscheck/harness/scenario"
	"netnscheck/harness/term"
)

// labFindings say whether this machine can do one lab, as `doctor --lab ID --json` prints them.
type labFindings struct {
	Lab   string         `json:"lab"`
	Can   bool           `json:"can"`
	Needs []machine.Need `json:"needs"`
	// Keeps is where progress is kept; without it the lab works, and is forgotten.
	Keeps   machine.Need `json:"keeps"`
	Install string       `json:"install,omitempty"` // how root installs the missing programs
	start   string
}

// runLab says whether the lab can be done here. If not, the exit status is that of a lab that could not be started.
func runLab(ctx context.Context, o options) error {
	sc, err := input.Scenario(ctx, o.lab)
	if err != nil {
		return err
	}
	f := examineLab(ctx, sc)
	f.start = o.lab
	tell := f.print
	if o.json {
		tell = func(s *screen.Screen) error { return s.Document(1, f) }
	}
	if err := tell(o.screen); err != nil {
		return err
	}
	if !f.Can {
		return &status.Error{Status: status.Cannot} // the screen says why
	}
	return nil
}

func examineLab(ctx context.Context, sc *scenario.Scenario) labFindings {
	f := labFindings{Lab: sc.ID, Needs: machine.LookAtLabs(ctx, sc).Needs(sc), Keeps: keeps()}
	f.Can = !slices.ContainsFunc(f.Needs, func(n machine.Need) bool { return !n.Has })
	var packages []string
	for _, n := range f.Needs {
		if n.Package != "" {
			packages = append(packages, n.Package)
		}
	}
	if len(packages) > 0 {
		f.Install = machine.InstallHint(packages...)
	}
	return f
}

// keeps is the state folder.
func keeps() machine.Need {
	n := machine.Need{Name: "progress", Do: "set XDG_STATE_HOME to a folder that you may write to"}
	s, err := store.Open(os.Getenv)
	if err == nil {
		n.Says, err = s.Keeps()
	}
	if err != nil {
		n.Says = fmt.Sprintf("nothing can be kept: %v", err)
		return n
	}
	n.Has, n.Do = true, ""
	return n
}

// print prints the verdict, then what is there and what is not, each with what to do about it.
func (f labFindings) print(s *screen.Screen) error {
	sheet := s.Sheet()
	switch {
	case !f.Can:
		sheet.Line("", fmt.Sprintf("This machine cannot do the lab %s as it is.", f.Lab))
	case !f.Keeps.Has:
		sheet.Line("", fmt.Sprintf("This machine can do the lab %s, but will forget what you did.", f.Lab))
	default:
		sheet.Line("", fmt.Sprintf("This machine can do the lab %s.", f.Lab))
	}
	sheet.Line("", "")
	all := append(slices.Clone(f.Needs), f.Keeps)
	width := 0
	for _, n := range all {
		width = max(width, term.Width(n.Name))
	}
	for _, n := range all {
		mark := sheet.Mark("✓ ", "x ")
		switch {
		case n.Untried:
			mark = "? "
		case !n.Has:
			mark = sheet.Mark("✗ ", "- ")
		}
		label := mark + term.Pad(n.Name, width) + "  "
		sheet.Line(label, n.Says)
		if n.Do != "" {
			sheet.Line(screen.Once(label, 1)+sheet.Mark("→ ", "> "), n.Do)
		}
	}
	if f.Install != "" {
		sheet.Line("", "")
		sheet.Line("", "To install what is missing, "+f.Install)
	}
	sheet.Line("", "")
	if f.Can {
		sheet.Verbatim("Start it:  ", s.Type("lab start "+term.ShellWord(f.start)))
	} else {
		sheet.Line("", fmt.Sprintf("`%s` says which labs can be done here.", s.Type("list --course")))
	}
	return sheet.Err()
}
