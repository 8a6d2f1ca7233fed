package reports

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"netnscheck/harness/scenario"
)

// skipping is a run of cases that were skipped for these reasons.
func skipping(reasons ...string) *Run {
	s := Suite{ID: "a"}
	for _, reason := range reasons {
		s.Cases = append(s.Cases, Case{SectionResult: scenario.SectionResult{Outcome: scenario.Skip, Reason: reason}})
	}
	return &Run{Suites: []Suite{s}}
}

func TestSkips(t *testing.T) {
	const say, lacks = "netlink driver cannot say monitor", "the kernel lacks tbf (EOPNOTSUPP)"
	r := skipping("line 5: "+say, lacks, "line 115: "+say,
		say+"; for the steps after it, the driver iproute2 has run its commands",
		"has no command on this machine: the blocks in lines 3, 10 and 12 are for with=tbf",
		"has no command on this machine: the blocks in lines 30 and 31 are for with=tbf", say, "tbf\x1b[31m")
	r.Suites[0].Cases = append(r.Suites[0].Cases,
		Case{SectionResult: scenario.SectionResult{Outcome: scenario.Skip, Reason: "no nft", Missing: []string{"nft"}}},
		Case{SectionResult: scenario.SectionResult{Outcome: scenario.Blocked, Reason: "needs step 1"}})
	want := []Skips{{say, 4}, {"has no command on this machine: the blocks are for with=tbf", 2}, {lacks, 1},
		{`tbf\x1b[31m`, 1}}
	if got := r.Skips(); !slices.Equal(got, want) {
		t.Errorf("they are %+v, want %+v", got, want)
	}
	if got := r.SkipsText(); !strings.HasPrefix(got, "skipped:\n  4 cases: "+say+"\n  2 cases: has no command") {
		t.Errorf("it says\n%s", got)
	}
	if got := (&Run{}).SkipsText(); got != "" {
		t.Errorf("nothing was skipped, and it says %q", got)
	}
}

// TestManySkips: the list stays short, and counts what it does not list.
func TestManySkips(t *testing.T) {
	var reasons []string
	for i := range mostReasons + 3 {
		reasons = append(reasons, fmt.Sprintf("reason %c", 'a'+i))
	}
	text := skipping(append(reasons, reasons[0])...).SkipsText()
	if lines := strings.Split(strings.TrimSpace(text), "\n"); len(lines) != mostReasons+2 ||
		lines[1] != "  2 cases: reason a" || lines[mostReasons+1] != "  3 cases for 3 other reasons" {
		t.Errorf("it says\n%s", text)
	}
}
