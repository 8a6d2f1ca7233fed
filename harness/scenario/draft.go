package scenario

import "slices"

// Draft is a scenario that may have faults, as far as it can be read.
type Draft struct {
	// Scenario has only the steps above Cut; it is nil if nothing can be read.
	Scenario *Scenario
	// Cut is the line of the first fault because of which the steps at and below it cannot be played, 0 if there is
	// none; Lost is the number of those steps.
	Cut, Lost int
	// Problems are all faults of the text, in line order: those of Parse and those of Review.
	Problems Problems
}

// ReadDraft reads and reviews a scenario, whatever faults it has, with values of its variables.
func ReadDraft(file string, src []byte, values Values) Draft {
	sc, f := read(file, src, values)
	if sc == nil {
		return Draft{Problems: f.sorted()}
	}
	faults := slices.Clone(f.sorted())
	faulty := func(s *Section) bool {
		return slices.ContainsFunc(faults, func(p Problem) bool { return s.Line <= p.Line && p.Line <= s.End })
	}
	review(f, sc, faulty)
	if len(faults) == 0 {
		reviewValues(f, sc)
	}
	d := Draft{Scenario: sc, Problems: f.sorted()}
	if len(faults) > 0 {
		d.Cut = faults[0].Line
		whole := 0
		if sc.Setup == nil || !faulty(sc.Setup) {
			whole = sc.stepsAbove(d.Cut)
		}
		d.Lost = len(sc.Steps) - whole
		sc.Steps = sc.Steps[:whole]
	}
	return d
}

// stepsAbove is the number of steps that end, with their mistakes, above a line.
func (sc *Scenario) stepsAbove(line int) int {
	for i := range sc.Steps {
		end := sc.Steps[i].End
		if n := len(sc.Steps[i].Mistakes); n > 0 {
			end = sc.Steps[i].Mistakes[n-1].End
		}
		if end >= line {
			return i
		}
	}
	return len(sc.Steps)
}
