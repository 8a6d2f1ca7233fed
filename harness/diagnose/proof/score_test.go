package proof_test

import (
	"fmt"
	"strings"
	"sync"

	"netnscheck/harness/diagnose/causes"
)

// score counts, for each cause, how often it was made, named, placed and fixed.
type score struct {
	mu    sync.Mutex
	lines map[causes.Cause]*line
}

type line struct{ tried, named, placed, toRepair, repaired int }

func (s *score) line(cause causes.Cause) *line {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.lines[cause] == nil {
		s.lines[cause] = &line{}
	}
	return s.lines[cause]
}

func (s *score) count(what *int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	*what++
}

// String is the table, in the order of the faults.
func (s *score) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out strings.Builder
	var sum line
	fmt.Fprintf(&out, "%-24s %6s %6s %6s %8s\n", "cause", "tried", "named", "placed", "repaired")
	seen := map[causes.Cause]bool{}
	for _, f := range faults {
		l := s.lines[f.cause]
		if l == nil || seen[f.cause] {
			continue
		}
		seen[f.cause] = true
		repaired := fmt.Sprintf("%d/%d", l.repaired, l.toRepair)
		if l.toRepair == 0 {
			repaired = "by hand"
		}
		fmt.Fprintf(&out, "%-24s %6d %6d %6d %8s\n", f.cause, l.tried, l.named, l.placed, repaired)
		sum.tried, sum.named, sum.placed = sum.tried+l.tried, sum.named+l.named, sum.placed+l.placed
		sum.toRepair, sum.repaired = sum.toRepair+l.toRepair, sum.repaired+l.repaired
	}
	fmt.Fprintf(&out, "%-24s %6d %6d %6d %8s\n", "all", sum.tried, sum.named, sum.placed,
		fmt.Sprintf("%d/%d", sum.repaired, sum.toRepair))
	return out.String()
}
