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
	// unheard is why the kernel could not be heard; "" if it was, or has not been listened to.
	unheard string
}

// heard is how often the kernel was listened to, agreed how often what it said fits the cause, silent how often it
// dropped nothing.
type line struct{ tried, named, placed, toRepair, repaired, heard, agreed, silent int }

func (s *score) line(cause causes.Cause) *line {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.lines[cause] == nil {
		s.lines[cause] = &line{}
	}
	return s.lines[cause]
}

// missed notes why the kernel could not be heard.
func (s *score) missed(unheard string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.unheard = unheard
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
	fmt.Fprintf(&out, "%-24s %6s %6s %6s %8s %9s %6s\n", "cause", "tried", "named", "placed", "repaired", "kernel",
		"silent")
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
		fmt.Fprintf(&out, "%-24s %6d %6d %6d %8s %9s %6d\n", f.cause, l.tried, l.named, l.placed, repaired,
			l.kernel(), l.silent)
		sum.tried, sum.named, sum.placed = sum.tried+l.tried, sum.named+l.named, sum.placed+l.placed
		sum.heard, sum.agreed, sum.silent = sum.heard+l.heard, sum.agreed+l.agreed, sum.silent+l.silent
		sum.toRepair, sum.repaired = sum.toRepair+l.toRepair, sum.repaired+l.repaired
	}
	fmt.Fprintf(&out, "%-24s %6d %6d %6d %8s %9s %6d\n", "all", sum.tried, sum.named, sum.placed,
		fmt.Sprintf("%d/%d", sum.repaired, sum.toRepair), sum.kernel(), sum.silent)
	if s.unheard != "" {
		fmt.Fprintf(&out, "what the kernel drops was not heard: %s\n", s.unheard)
	}
	return out.String()
}

// kernel is how often the kernel agreed, of the times that it was heard.
func (l *line) kernel() string {
	if l.heard == 0 {
		return "-"
	}
	return fmt.Sprintf("%d/%d", l.agreed, l.heard)
}
