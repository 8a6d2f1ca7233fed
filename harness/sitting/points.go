package sitting

import "netnscheck/harness/scenario"

// Worth is what each step is worth: what the scenario says of it. A step of which it says nothing is worth 1; but if
// the front matter says what the scenario is worth as a whole, such steps share what the others leave of it, the first
// ones one more if it cannot be divided.
func Worth(sc *scenario.Scenario) []int {
	worth := make([]int, len(sc.Steps))
	var unsaid []int
	left := sc.Points
	for i, step := range sc.Steps {
		worth[i] = step.Points
		left -= step.Points
		if step.PointsLine == 0 {
			unsaid = append(unsaid, i)
		}
	}
	for n, i := range unsaid {
		worth[i] = 1
		if sc.PointsLine > 0 {
			worth[i] = left / len(unsaid)
			if n < left%len(unsaid) {
				worth[i]++
			}
		}
	}
	return worth
}

// Helped is how many hints count: reasons that were asked for in a challenge do.
func (p Past) Helped() int { return p.Hints + p.Reasons }

// Earned is what a step that is worth so many points earns, if each hint costs hintCost of them.
func (p Past) Earned(worth, hintCost int) int {
	if !p.Done || p.Solved {
		return 0
	}
	return max(0, worth-p.Helped()*hintCost)
}
