package rtnetlink

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"netnscheck/harness/internal/labtest"
	"netnscheck/harness/scenario"
)

// TestFormsOfTheManualPages runs forms of ip-link(8), ip-address(8), ip-route(8) and so on, one after the other, by the
// driver and by the real programs: they leave the same state, or refuse the same. What the driver cannot say is listed
// in a file of its own, with the word, so that the list can only be changed with intent.
func TestFormsOfTheManualPages(t *testing.T) {
	labtest.Needs(t, "ip", "sysctl")
	d, ours, theirs := New(), labtest.World(t), labtest.World(t)
	forms := labtest.Lines(labtest.Read(t, "testdata/forms.txt"))
	var unsayable []string
	for _, line := range forms {
		var cannot *scenario.CannotSay
		if errors.As(d.CanSay(labtest.Command(t, line)), &cannot) {
			unsayable = append(unsayable, cannot.Word+": "+line)
			continue
		}
		labtest.Agree(t, d, ours, theirs, line)
	}
	t.Logf("%d of %d forms cannot be said", len(unsayable), len(forms))
	t.Log(strings.Join(unsayable, "\n"))
	const list = "testdata/unsayable.txt"
	if diff := cmp.Diff(labtest.Lines(labtest.Read(t, list)), unsayable); diff != "" {
		t.Errorf("%s (-want +got):\n%s", list, diff)
	}
}
