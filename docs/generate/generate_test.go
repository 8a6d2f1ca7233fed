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
		{failure{places: []place{{file: "x_test.go"}}, inGo: true}, ""},
		{failure{places: []place{mistake}}, ""},
		{failure{places: []place{mistake}, errnos: []string{"ENODEV"}}, "no block for all machines has errno=ENODEV"},
		{failure{places: []place{mistake}, busybox: true}, "no block is in busybox's words"},
	} {
		if got := c.f.lacking(); got != c.want {
			t.Errorf("%+v: %q, want %q", c.f, got, c.want)
		}
	}
}

func TestBusyboxsWords(t *testing.T) {
	for info, want := range map[string]bool{
		"console\n$ ip link":                         false, // for all, in the words of iproute2
		"console iproute2 netlink\n$ ip link":        false,
		"console iproute2 busybox\n$ ip link":        true,
		"console\n$ ip netns exec a busybox ip link": true,
	} {
		sc, err := scenario.Parse("t.md", []byte("# T\n\n## S\n\n```"+info+"\n```\n\n- [x] namespace `a` exists\n"))
		if err != nil {
			t.Fatal(err)
		}
		if got := inItsWords(sc.Steps[0].Blocks[0]); got != want {
			t.Errorf("%q: %v", info, got)
		}
	}
}

// TestAMarkInTheWrongPlace is reported and does not count.
func TestAMarkInTheWrongPlace(t *testing.T) {
	p := samplePage(t)
	inScenario, inTest := place{section: &p.sections[1], file: "t.md", line: 3}, place{file: "x_test.go", line: 7}
	for _, c := range []struct {
		id    string
		place place
		says  string
	}{
		{"typo", inScenario, "0 of 2 failure modes are encoded; what is wrong or missing:\n  t.md:3: there is no " +
			"case typo\n"},
		{"lesson", inTest, "0 of 2 failure modes are encoded; what is wrong or missing:\n  x_test.go:7: the case " +
			"lesson is for a scenario\n"},
		{"program", inScenario, "t.md:3: the case program is for a test in Go"},
		{"lesson", inScenario,
			"1 of 2 failure modes are encoded; what is wrong or missing:\n  program: encoded nowhere"},
		{"program", inTest, "1 of 2 failure modes are encoded; what is wrong or missing:\n  lesson: encoded nowhere"},
	} {
		all := &coverage{failures: []failure{{id: "lesson"}, {id: "program", inGo: true}}}
		all.add(c.id, c.place)
		if err := all.complete(); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s at %s: %v, want %q", c.id, c.place, err, c.says)
		}
	}
}

// TestConditionsStandWithTheFacts: what is so on some machines only is not told as if it were so on all.
func TestConditionsStandWithTheFacts(t *testing.T) {
	const fence = "```"
	sc, err := scenario.Parse("t.md", []byte(`# T

## In some cases

`+fence+`console with=veth
$ ip link add v type veth
`+fence+`

`+fence+`console netlink without=veth kernel<6.6 errno=EEXIST
$ ip link add v type veth
[!]
`+fence+`

- [x] namespace `+"`host`"+` exists

## On some kernels

`+fence+`console kernel>=6.6
$ ip link add w type dummy
`+fence+`

`+fence+`console netlink kernel>=6.6 with=veth errno=EEXIST
$ ip link add lo type dummy
`+fence+`

- [x] namespace `+"`host`"+` exists

## Everywhere

`+fence+`console netlink errno=ENODEV
$ ip link set x up
`+fence+`

- [x] namespace `+"`host`"+` exists
`))
	if err != nil {
		t.Fatal(err)
	}
	p := pageOf(sc)
	for i, want := range []string{
		"`ip link add v type veth` is refused with EEXIST where `without=veth` and `kernel<6.6`; " +
			"namespace `host` exists",
		"where `kernel>=6.6`: `ip link add lo type dummy` is refused with EEXIST where `with=veth`; " +
			"namespace `host` exists",
		"`ip link set x up` is refused with ENODEV; namespace `host` exists",
	} {
		if got := p.sections[i].proves(); got != want {
			t.Errorf("%s: %q,\nwant %q", p.sections[i].Title, got, want)
		}
	}

	conditional := p.sections[1].Blocks[1]
	want := "`ip link add lo type dummy` answers EEXIST where `kernel>=6.6` and `with=veth`"
	if got := answerOf(conditional, conditional.Commands[0]); got != want {
		t.Errorf("an answer: %q, want %q", got, want)
	}
	f := failure{places: []place{{section: &p.sections[1], file: "t.md"}}, errnos: []string{"EEXIST"}}
	if got, want := f.lacking(), "no block for all machines has errno=EEXIST"; got != want {
		t.Errorf("a case: %q, want %q", got, want)
	}
}
