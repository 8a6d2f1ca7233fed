package play

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"netnscheck/harness/internal/cmd/input"
	"netnscheck/harness/internal/cmd/status"
	"netnscheck/harness/internal/specrun"
	"netnscheck/harness/scenario"
	"netnscheck/reports"
)

// planOf is the plan of scenarios of the catalogue with these drivers.
func planOf(t *testing.T, drivers []string, names ...string) []specrun.Planned {
	t.Helper()
	what, err := input.Selected(t.Context(), names)
	if err != nil {
		t.Fatal(err)
	}
	plan, err := PlanWith(what, Settings{}, drivers)
	if err != nil {
		t.Fatal(err)
	}
	return plan
}

func TestDemandsThatMeanNothing(t *testing.T) {
	plan := planOf(t, []string{"netlink"}, "veth-pair")
	for words, says := range map[string]string{
		"all": "", "netlink,veth-pair": "", "nftables,program:tc": "",
		"netlnk":    `--require "netlnk": it is no driver, feature or chosen scenario, did you mean netlink?`,
		"veth-piar": "did you mean veth-pair?",
		"nftable":   "did you mean nftables?",
		"program:":  "it is no driver",
		"iproute2":  "--require iproute2: nothing that is chosen is played with this driver",
		"router":    "--require router: nothing of this scenario is chosen",
		"suites":    `--require "suites": it is no`,
	} {
		d := Demands{words: strings.Split(words, ","), most: anySkips}
		err := d.Check(plan)
		if got, _ := status.Of(err); says == "" && err != nil || says != "" && (got != status.Usage ||
			!strings.Contains(err.Error(), says)) {
			t.Errorf("--require %s: status %d: %v", words, got, err)
		}
	}
	if err := (&Demands{most: -2}).Check(plan); err == nil {
		t.Error("fewer than no cases may be skipped")
	}
}

func TestUnmet(t *testing.T) {
	skip := func(why string, missing, lacking []string) reports.Case {
		return reports.Case{Name: "One", SectionResult: scenario.SectionResult{Outcome: scenario.Skip, Reason: why,
			Missing: missing, Lacking: lacking}}
	}
	pass := reports.Case{Name: "Two", SectionResult: scenario.SectionResult{Outcome: scenario.Pass}}
	r := &reports.Run{Suites: []reports.Suite{
		{ID: "a", Driver: "iproute2", Cases: []reports.Case{pass, skip("no nft", []string{"nft"}, nil)}},
		{ID: "b", Driver: "netlink", Cases: []reports.Case{pass, skip("netlink driver cannot say sh", nil, nil)}},
		{ID: "c", Driver: "busybox", Cases: []reports.Case{skip("busybox driver cannot say sh", nil, nil)}},
		{ID: "d", Driver: "netlink", Cases: []reports.Case{skip("the kernel lacks tbf", nil, []string{"tbf"})}},
		{ID: "suites.x", Cases: []reports.Case{skip("not here", nil, nil)}},
	}}
	for words, want := range map[string][]string{
		"all":      {"--require all: 3 cases were skipped, such as “One”: no nft"},
		"a":        {"--require a: 1 case was skipped, such as “One”: no nft"},
		"b":        nil,
		"d,c":      {"--require d: 1 case was skipped, such as “One”: the kernel lacks tbf"},
		"suites":   {"--require suites: 1 case was skipped, such as “One”: not here"},
		"iproute2": nil,
		"busybox":  {"--require busybox: 1 case was skipped, all of this driver"},
		"nftables": nil,
	} {
		d := Demands{words: strings.Split(words, ","), most: 5}
		if got := d.Unmet(r); !slices.Equal(got, want) {
			t.Errorf("--require %s: %q, want %q", words, got, want)
		}
	}
	if got := (&Demands{most: 4}).Unmet(r); !slices.Equal(got, []string{"--max-skips 4: 5 cases were skipped"}) {
		t.Errorf("too many skips: %q", got)
	}
	if got := (&Demands{most: 0}).Unmet(of(scenario.Pass)); got != nil {
		t.Errorf("nothing was skipped: %q", got)
	}
}

// TestInsist: where something is demanded, a machine that cannot run it is not skipped.
func TestInsist(t *testing.T) {
	cannot := status.Cannotf("no sandbox")
	for name, c := range map[string]struct {
		demands Demands
		err     error
		want    int
	}{
		"nothing demanded":  {Demands{most: anySkips}, cannot, 4},
		"a driver":          {Demands{words: []string{"netlink"}, most: anySkips}, cannot, 1},
		"no skips":          {Demands{}, cannot, 1},
		"passed":            {Demands{}, nil, 0},
		"an error":          {Demands{}, errors.New("x"), 1},
		"nothing, demanded": {Demands{}, &status.Error{Status: status.Cannot}, 1},
	} {
		if got := status.In(status.Kselftest, c.demands.Insist(c.err)); got != c.want {
			t.Errorf("%s: status %d, want %d", name, got, c.want)
		}
	}
}
