package session

import "netnscheck/harness/internal/session/seat"

// furniture is what the lab has for the learner's shells.
func (s *session) furniture() seat.Furniture {
	return seat.Furniture{Lab: s.sc.ID, Secret: s.secret, History: s.begin.History,
		Programs: []string{"harness", "lab", "sudo"}}
}
