package lab

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"netnscheck/harness/internal/observe"
)

// TestRestless: a failure tells what did not come to rest before it, and never at great length.
func TestRestless(t *testing.T) {
	var moving []observe.Moving
	for i := range 7 {
		moving = append(moving, observe.Moving{Netns: "a", What: fmt.Sprintf("eth%d has just changed", i)})
	}
	want := []string{"not at rest: eth0 has just changed in a", "not at rest: eth1 has just changed in a"}
	if diff := cmp.Diff(want, restless(moving[:2])); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if got := restless(moving); len(got) != 6 || got[5] != "not at rest: 2 more" {
		t.Errorf("of seven: %q", got)
	}
	if got := restless(nil); got != nil {
		t.Errorf("of none: %q", got)
	}
}
