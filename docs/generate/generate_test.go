package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"netnscheck/harness/lab"
	"netnscheck/harness/scenario"
	"netnscheck/scenarios"
)

const root = "../.."

func TestDocumentsAreAsTheCatalogueIs(t *testing.T) {
	if n := len(lab.Drivers()); n < 3 {
		lab.Lacking(t, "only some of the drivers are on this machine")
	}
	all, err := documents(root)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range all {
		found, err := os.ReadFile(filepath.Join(root, d.path))
		if err != nil {
			t.Error(err)
			continue
		}
		if string(found) != d.text {
			t.Errorf("%s is not as the catalogue is: run `make docs`", d.path)
		}
	}
}

func TestEveryFailureModeIsEncoded(t *testing.T) {
	c, err := readCoverage(root)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.complete(); err != nil {
		t.Error(err)
	}
	if len(c.failures) != 112 {
		t.Errorf("%d failure modes are listed, want 112", len(c.failures))
	}
}

func TestEveryScenarioNamesItsSources(t *testing.T) {
	all, err := scenarios.All()
	if err != nil {
		t.Fatal(err)
	}
	for _, sc := range all {
		if p := pageOf(sc); p.sources == "" && sc.Kind != scenario.Challenge {
			t.Errorf("%s: no paragraph above the first section begins with %q", sc.File, sourcesMark)
		}
	}
}

const sample = `# T

Sources: ip-netns(8),
veth(4).

## S

<!-- case: half-up, no-such-case -->
Prose.

` + "```console\n$ ip netns add a\n```" + `

- [ ] namespace ` + "`a`" + ` exists

### Mistake: M

<!-- case: typo-device -->
Sources: ip-link(8)

` + "```console iproute2\n$ ip link set x up\n[1]\n```" + `

- [x] namespace ` + "`host`" + ` exists
`

func samplePage(t *testing.T) page {
	t.Helper()
	sc, err := scenario.Parse("t.md", []byte(sample))
	if err != nil {
		t.Fatal(err)
	}
	return pageOf(sc)
}

func TestPageReadsMarksAndSources(t *testing.T) {
	p := samplePage(t)
	if p.sources != "ip-netns(8), veth(4)" {
		t.Errorf("the scenario's sources: %q", p.sources)
	}
	if len(p.sections) != 2 {
		t.Fatalf("%d sections", len(p.sections))
	}
	if got := strings.Join(p.sections[0].cases, " "); got != "half-up no-such-case" || p.sections[0].sources != "" {
		t.Errorf("the step: cases %q, sources %q", got, p.sections[0].sources)
	}
	if m := p.sections[1]; !m.mistake || m.step != "S" || m.sources != "ip-link(8)" || len(m.cases) != 1 {
		t.Errorf("the mistake: %+v", m)
	}
}

func TestLackingSeesWhatIsMissing(t *testing.T) {
	p := samplePage(t)
	mistake := place{section: &p.sections[1], file: "t.md"}
	for _, c := range []struct {
		f    failure
		want string
	}{
		{failure{}, "encoded nowhere"},
		{failure{places: []place{{file: "x_test.go"}}}, ""},
		{failure{places: []place{mistake}}, ""},
		{failure{places: []place{mistake}, errnos: []string{"ENODEV"}}, "no block has errno=ENODEV"},
		{failure{places: []place{mistake}, busybox: true}, "no block is for busybox"},
	} {
		if got := c.f.lacking(); got != c.want {
			t.Errorf("%+v: %q, want %q", c.f, got, c.want)
		}
	}
}
