package session

import "netnscheck/harness/internal/session/seat"

// furniture is what the lab has for the learner's shells. In an exam there is no `harness diagnose`: it tells causes.
func (s *session) furniture() seat.Furniture {
	programs := []string{"lab", "sudo"}
	if !s.begin.Exam {
		programs = append(programs, "harness")
	}
	return seat.Furniture{Lab: s.sc.ID, Secret: s.secret, History: s.begin.History, Programs: programs}
}
