package reports

import (
	"regexp"

	"netnscheck/harness/term"
)

// PlayAgain is the command of a shell that plays this case of the suite again, alone: by its id or, in a suite written
// in Go, by its text. It is "" if none is known.
func (s *Suite) PlayAgain(c *Case) string {
	switch {
	case s.Again == "":
		return ""
	case c.Step > 0:
		return s.Again + " --case " + c.CaseID()
	}
	return s.Again + " --focus " + term.ShellWord(regexp.QuoteMeta(s.ID+": "+s.Title+" "+c.Name)+"$")
}

// Explain is why a case did not pass (Case.Describe), where the evidence is, and the command that plays it again.
func (s *Suite) Explain(c *Case) string {
	text := c.Describe()
	if c.Evidence != "" {
		text += "evidence in " + term.OneLine(c.Evidence) + "\n"
	}
	if again := s.PlayAgain(c); again != "" {
		text += "to run it again: " + term.OneLine(again) + "\n"
	}
	return text
}
