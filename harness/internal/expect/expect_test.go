package expect

import (
	"strings"
	"testing"
	"time"
)

// day is a machine on a day.
func day(t *testing.T, date, kernel string) Machine {
	t.Helper()
	today, err := time.Parse(time.DateOnly, date)
	if err != nil {
		t.Fatal(err)
	}
	versions := map[string]string{"kernel": kernel, "iproute2": "6.1.0"}
	return Machine{Versions: versions, Architecture: "x86_64", Today: today}
}

func parse(t *testing.T, lines ...string) *File {
	t.Helper()
	f, err := Parse("e.yaml", []byte(strings.Join(append([]string{"expectations:"}, lines...), "\n")))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestFor(t *testing.T) {
	step := Case{"veth-pair", "busybox", 4, 0, "Move each end"}
	mistake := Case{"veth-pair", "busybox", 4, 2, "Move each end / Mistake: the two ends swapped"}
	for entry, want := range map[string]struct{ step, mistake bool }{
		"":                                       {true, true},
		"step: Move each end":                    {true, false},
		"step: 4":                                {true, false},
		"step: 5":                                {false, false},
		"step: Move":                             {false, false},
		"step: 4, mistake: 2":                    {false, true},
		"step: 4, mistake: the two ends swapped": {false, true},
		"step: 4, mistake: 1":                    {false, false},
		"driver: busybox":                        {true, true},
		"driver: netlink":                        {false, false},
		`kernel: ">=5.10 <6.2"`:                  {true, true},
		`kernel: "<5.10"`:                        {false, false},
		`kernel: "=5.10"`:                        {true, true},
		`kernel: "<5.10.200"`:                    {false, false},
		`iproute2: "<6.1"`:                       {false, false},
		`iproute2: "<=6.1"`:                      {true, true},
		`kernel: "<6", iproute2: ">6.1"`:         {false, false},
		"architecture: x86_64":                   {true, true},
		"architecture: aarch64":                  {false, false},
		"expires: 2027-03-31":                    {true, true},
		"expires: 2027-03-30":                    {false, false},
	} {
		line := "  - {scenario: veth-pair, reason: why"
		if entry != "" {
			line += ", " + entry
		}
		f, m := parse(t, line+"}"), day(t, "2027-03-31", "5.10.262-amd64")
		if got := f.For(step, m) != nil; got != want.step {
			t.Errorf("%q is about the step: %v", entry, got)
		}
		if got := f.For(mistake, m) != nil; got != want.mistake {
			t.Errorf("%q is about the mistake: %v", entry, got)
		}
		if f.For(Case{"router", "busybox", 4, 0, "Move each end"}, m) != nil {
			t.Errorf("%q is about another scenario", entry)
		}
	}
	unknown := day(t, "2027-03-31", "")
	if parse(t, `  - {scenario: veth-pair, reason: why, kernel: "<6"}`).For(step, unknown) != nil {
		t.Error("an entry for a range is about a kernel whose version is unknown")
	}
}

func TestIdle(t *testing.T) {
	planned := []Case{{"veth-pair", "netlink", 1, 0, "Create the namespaces"}}
	f := parse(t,
		"  - {scenario: veth-pair, reason: why}",
		"  - {scenario: veth-pear, reason: why}",
		"  - {scenario: veth-pair, step: Create the namespace, reason: why}",
		"  - {scenario: veth-pair, driver: busybox, step: 1, mistake: 2, reason: why}",
		"  - {scenario: veth-pair, reason: why, expires: 2027-03-30}",
		`  - {scenario: veth-pair, reason: why, kernel: "<4"}`, // it is about another machine
	)
	want := []string{
		"e.yaml:3: the expectation for veth-pear is about nothing that was planned",
		"e.yaml:4: the expectation for veth-pair, step “Create the namespace” is about nothing that was planned",
		"e.yaml:5: the expectation for veth-pair.busybox, step “1”, mistake “2” is about nothing that was planned",
		"e.yaml:6: the expectation for veth-pair has expired (2027-03-30)",
	}
	got := f.Idle(planned, day(t, "2027-03-31", "6.12"))
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("it says\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestParseErrors(t *testing.T) {
	const entry = "expectations:\n  - scenario: a\n    reason: b\n    " // its end is on line 4
	for name, c := range map[string]struct{ text, want string }{
		"nothing":              {"", "e.yaml:1: there is no expectation in it"},
		"an empty list":        {"expectations: []", "e.yaml:1: expected a list of entries"},
		"no mapping":           {"- a", "e.yaml:1: expected keys and values"},
		"another key":          {"expectation: [a]", `e.yaml:1: there is no key "expectation", did you mean expectations?`},
		"a word":               {"expectations:\n  - a", "e.yaml:2: expected keys and values, such as scenario: veth-pair"},
		"a typo":               {entry + "lnik: x", `e.yaml:4: there is no key "lnik", did you mean link?`},
		"no scenario":          {"expectations:\n  - reason: b", "e.yaml:2: an entry without the key scenario"},
		"no reason":            {"expectations:\n  - scenario: a", "e.yaml:2: an entry without the key reason: why is a"},
		"a mistake alone":      {entry + "mistake: 1", "e.yaml:2: an entry with the key mistake and without the key step"},
		"no such driver":       {entry + "driver: netlnk", `e.yaml:4: there is no driver "netlnk", did you mean netlink?`},
		"no such architecture": {entry + "architecture: x86-64", `no architecture "x86-64", did you mean x86_64?`},
		"no range":             {entry + "kernel: 6.1", `such as <6.1 or >=5.10 <6.2, found "6.1"`},
		"a range apart":        {entry + `kernel: "< 6.1"`, `e.yaml:4: expected a range of versions`},
		"no address":           {entry + "link: bug 42", "e.yaml:4: expected the address of a page"},
		"no date":              {entry + "expires: 2027-02-30", `e.yaml:4: expected a date, such as 2027-03-31, found`},
		"a list":               {"expectations:\n  - {scenario: [a], reason: b}", "e.yaml:2: expected the id of a scenario"},
		"no YAML":              {"expectations: [", "e.yaml:1: "},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := Parse("e.yaml", []byte(c.text)); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("it says %v, want %q", err, c.want)
			}
		})
	}
}

// FuzzParse: whatever stands in a file, it is read, or refused with a line; what is read can be asked.
func FuzzParse(f *testing.F) {
	f.Add("expectations:\n  - {scenario: a, step: 1, mistake: 2, driver: netlink, kernel: \"<6\", reason: b,\n" +
		"    expires: 2027-01-01}")
	f.Add("expectations:\n- scenario: a\n  reason: &x b\n- scenario: *x\n  reason: c")
	f.Add("%")
	f.Fuzz(func(t *testing.T, text string) {
		file, err := Parse("e.yaml", []byte(text))
		if err != nil {
			if !strings.HasPrefix(err.Error(), "e.yaml:") && !strings.HasPrefix(err.Error(), "read e.yaml: ") {
				t.Errorf("an error without its place: %v", err)
			}
			return
		}
		for _, e := range file.Entries {
			if e.Scenario == "" || e.Reason == "" || e.Line < 1 || e.Mistake != "" && e.Step == "" {
				t.Errorf("it accepts %+v", e)
			}
			m := Machine{Versions: map[string]string{"kernel": "6.1"}}
			c := Case{Scenario: e.Scenario, Driver: e.Driver, Step: 1}
			if found := file.For(c, m); found != nil && found.Scenario != c.Scenario {
				t.Errorf("%+v is taken for one about %+v", found, c)
			}
		}
	})
}
