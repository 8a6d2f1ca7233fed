package sitting

// Join makes one of several news that follow each other. A check that changed more than once is told as it is now, and
// one that is again as it was is not told. It reports false if there is nothing to tell.
func Join(all []News) (joined News, any bool) {
	was := map[string]Status{}
	for _, n := range all {
		checks, changed := joined.Now, append(joined.Changed, n.Changed...)
		done, allDone := joined.StepDone || n.StepDone, joined.AllDone || n.AllDone
		if joined.Step != n.Step {
			checks, done = nil, n.StepDone
		}
		for _, c := range n.Now {
			at := -1
			for i := range checks {
				if checks[i].Text == c.Text {
					at = i
				}
			}
			switch {
			case at < 0:
				was[c.Text] = c.Status
				checks = append(checks, c)
			case (was[c.Text] == Holds) != (c.Status == Holds): // back to where it was
				checks = append(checks[:at], checks[at+1:]...)
			default:
				checks[at] = c
			}
		}
		joined = n
		joined.Now, joined.Changed, joined.StepDone, joined.AllDone = checks, changed, done, allDone
	}
	return joined, len(joined.Now) > 0 || len(joined.Changed) > 0 || joined.StepDone || joined.Answer != nil
}
