package causes

import (
	"regexp"
	"slices"
	"testing"
)

// TestSigns: the kernel says something of each cause that stops a packet, or it is known to be silent.
func TestSigns(t *testing.T) {
	reason, function := regexp.MustCompile(`^[A-Z0-9_]+$`), regexp.MustCompile(`^[a-z0-9_]*$`)
	for c := range All() {
		s := c.Sign()
		said := len(s.Here)+len(s.Elsewhere)+len(s.Errnos) > 0 || s.Silent
		if stops := c.Family() != Review && c != NoNamespace && c != NotANamespace; said != stops {
			t.Errorf("%s: stops packets %v, and the kernel has something to say of it %v", c, stops, said)
		}
		for _, d := range slices.Concat(s.Here, s.Elsewhere) {
			if !reason.MatchString(d.Reason) || !function.MatchString(d.Place) {
				t.Errorf("%s: %+v", c, d)
			}
			if d.Reason == "NOT_SPECIFIED" && d.Place == "" {
				t.Errorf("%s: without a place, %s says nothing", c, d.Reason)
			}
		}
	}
	var none Cause
	if s := none.Sign(); s.Silent || len(s.Here) > 0 {
		t.Errorf("no cause has a sign: %+v", s)
	}
}
