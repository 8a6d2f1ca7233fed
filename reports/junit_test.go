package reports

import (
	"encoding/xml"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"netnscheck/harness/scenario"
	"netnscheck/harness/term"
)

func TestJUnitGolden(t *testing.T) {
	text, err := junit(sample()).encode()
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "junit.golden.xml", string(text))
}

func TestJUnitCounts(t *testing.T) {
	r := junit(sample())
	// the eleventh is the problem of the run itself; xpass and flaky are failures
	if r.Tests != 11 || r.Failures != 3 || r.Errors != 2 {
		t.Errorf("tests %d, failures %d, errors %d; want 11, 3, 2", r.Tests, r.Failures, r.Errors)
	}
	var tests, failures, errs int
	for _, s := range r.Suites {
		tests += s.Tests
		failures += s.Failures
		errs += s.Errors
		if s.Tests != len(s.Cases) {
			t.Errorf("suite %s: tests %d, but %d cases", s.Name, s.Tests, len(s.Cases))
		}
	}
	if tests != r.Tests || failures != r.Failures || errs != r.Errors {
		t.Errorf("the suites add up to %d, %d, %d; the root says %d, %d, %d", tests, failures, errs, r.Tests,
			r.Failures, r.Errors)
	}
	if got := r.Suites[0].Skipped; got != 4 {
		t.Errorf("skipped %d, want 4: skipped, blocked, failed as expected, not run", got)
	}
	if got := r.Suites[0].Cases[2].Skipped.Message; !strings.HasPrefix(got, "blocked: needs step 1") {
		t.Errorf("the blocked case says %q", got)
	}
}

func TestWriteJUnitIsValid(t *testing.T) {
	needXMLLint(t)
	path := filepath.Join(t.TempDir(), "junit.xml")
	for name, r := range map[string]*Run{
		"all outcomes": sample(),
		"empty":        {},
		"leftovers":    {Started: time.Now(), Leftovers: []string{"namespace testns-abcdef"}},
	} {
		finish(t, "junit", path, r)
		for _, schema := range []string{jenkins, surefire} {
			if output, err := lint(schema, path); err != nil {
				t.Errorf("%s, %s: %v\n%s", name, schema, err, output)
			}
		}
	}
}

// TestJUnitTakesNoNoticeOfTheSeed: the order in which scenarios were played changes no line.
func TestJUnitTakesNoNoticeOfTheSeed(t *testing.T) {
	r, other := sample(), sample()
	slices.Reverse(other.Suites)
	if diff := cmp.Diff(junit(r), junit(other)); diff != "" {
		t.Errorf("(-in order +shuffled):\n%s", diff)
	}
}

// TestJUnitTellsOfEveryPlay: of a case that failed, the other plays that failed are repetitions of its failure; of one
// that passed in the end all of them are, as Surefire has it.
func TestJUnitTellsOfEveryPlay(t *testing.T) {
	var flaky Case
	for _, c := range sample().Suites[0].Cases {
		if c.Outcome == scenario.Flaky {
			flaky = c
		}
	}
	got := junitOfCase(&Suite{}, &flaky)
	if got.Failure == nil || len(got.RerunFailures) != 0 || len(got.RerunErrors) != 1 || len(got.FlakyFailures) != 0 ||
		got.RerunErrors[0].Message != "its worker was killed" || got.RerunErrors[0].Type != "error" {
		t.Errorf("a flaky case is %+v", got)
	}
	flaky.Outcome, flaky.Problems = scenario.Pass, nil
	got = junitOfCase(&Suite{}, &flaky)
	if got.Failure != nil || len(got.FlakyFailures) != 1 || len(got.FlakyErrors) != 1 || len(got.RerunErrors) != 0 ||
		!strings.Contains(got.FlakyFailures[0].StackTrace, "no reply") ||
		!strings.Contains(got.FlakyFailures[0].SystemOut.Text, "$ ping -c1") {
		t.Errorf("a case that passed in the end is %+v", got)
	}
	if text := got.SystemOut.Text; !strings.Contains(text, "play 2 of 3: error in 2 ms\nplay 3 of 3: pass in 19 ms\n") {
		t.Errorf("its output is %q", text)
	}
}

// TestSurefireSchemaIsStrict shows that the schema refuses what Surefire's would.
func TestSurefireSchemaIsStrict(t *testing.T) {
	needXMLLint(t)
	const head = `<testsuite name="s" tests="1" failures="0" errors="0" skipped="0">`
	for name, text := range map[string]string{
		"suite without skipped":  `<testsuite name="s" tests="0" failures="0" errors="0"/>`,
		"case without a time":    head + `<testcase name="c"/></testsuite>`,
		"failure without a type": head + `<testcase name="c" time="0.001"><failure/></testcase></testsuite>`,
		"another order": head + `<testcase name="c" time="0.001"><skipped/><failure type="fail"/></testcase>` +
			`</testsuite>`,
		"repetition without a trace": head + `<testcase name="c" time="0.001"><flakyFailure type="fail"/></testcase>` +
			`</testsuite>`,
		"type of a skip": head + `<testcase name="c" time="0.001"><skipped type="x"/></testcase></testsuite>`,
	} {
		path := filepath.Join(t.TempDir(), "bad.xml")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := lint(surefire, path); err == nil {
			t.Errorf("%s: the schema accepts %s", name, text)
		}
	}
}

// TestSchemaIsStrict shows that the schema refuses what Jenkins would.
func TestSchemaIsStrict(t *testing.T) {
	needXMLLint(t)
	const head = `<testsuites><testsuite name="s" tests="1" failures="0" errors="0">`
	const tail = `</testsuite></testsuites>`
	for name, text := range map[string]string{
		"unknown attribute of the root": `<testsuites skipped="1"/>`,
		"suite without a name":          `<testsuites><testsuite tests="0" failures="0" errors="0"/></testsuites>`,
		"suite without errors":          `<testsuites><testsuite name="s" tests="0" failures="0"/></testsuites>`,
		"case without a name":           head + `<testcase/>` + tail,
		"status of a case":              head + `<testcase name="c" status="run"/>` + tail,
		"unknown element in a case":     head + `<testcase name="c"><properties/></testcase>` + tail,
		"property without a value":      head + `<properties><property name="p"/></properties>` + tail,
		"text in a property": head + `<properties><property name="p" value="v">x</property></properties>` +
			tail,
		"time in words":        head + `<testcase name="c" time="3 ms"/>` + tail,
		"rerun without a type": head + `<testcase name="c"><rerunFailure/></testcase>` + tail,
	} {
		path := filepath.Join(t.TempDir(), "bad.xml")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := lint(jenkins, path); err == nil {
			t.Errorf("%s: the schema accepts %s", name, text)
		}
	}
}

// The schemas of the two families of readers.
const (
	jenkins  = "testdata/jenkins-junit.xsd"
	surefire = "testdata/surefire.xsd"
)

func lint(schema, path string) (string, error) {
	output, err := exec.Command("xmllint", "--noout", "--nonet", "--schema", schema, path).CombinedOutput()
	return string(output), err
}

func needXMLLint(t *testing.T) {
	t.Helper()
	need(t, "xmllint")
}

func FuzzJUnit(f *testing.F) {
	f.Add("name", "Cannot find device \"vnic-prodns\"\n", "found")
	f.Add("\x00\x01\x1b[31m", "]]>", "\xff\xfe\xed\xa0\x80")
	f.Add("\ufffe\uffff", "<![CDATA[x]]>&amp;<", "\r\n\t\u0085\u009b")
	f.Add("", "", "\U0010ffff\ufeff")
	f.Fuzz(func(t *testing.T, name, output, found string) {
		r := &Run{Hostname: found, Suites: []Suite{{ID: name, Title: output, Cases: []Case{
			{Name: name, SectionResult: scenario.SectionResult{
				Outcome: scenario.Fail, Problems: []scenario.Problem{{Message: name, Expected: output, Found: found}},
				Transcript: []scenario.Exchange{{Command: name, Output: output, Note: found}},
			}},
			{Name: output, SectionResult: scenario.SectionResult{Outcome: scenario.Skip, Reason: found}},
		}}}, Problems: []string{output}}
		want := junit(r)
		text, err := want.encode()
		if err != nil {
			t.Fatal(err)
		}
		wellFormed(t, string(text))
		back, err := decodeJUnit(text)
		if err != nil {
			t.Fatalf("read back: %v\n%s", err, text)
		}
		if diff := cmp.Diff(want, back); diff != "" {
			t.Errorf("what was read is not what was written (-want +got):\n%s", diff)
		}
		if got := back.Suites[0].Cases[0].Name; got != term.Printable(name) {
			t.Errorf("the name came back as %q, want %q", got, term.Printable(name))
		}
	})
}

// wellFormed parses the whole document strictly and looks for characters that XML 1.0 forbids.
func wellFormed(t *testing.T, text string) {
	t.Helper()
	for _, c := range text {
		if c < 0x20 && c != '\t' && c != '\n' || c == 0xfffe || c == 0xffff || c >= 0x7f && c < 0xa0 {
			t.Fatalf("the character %U is in the report", c)
		}
	}
	d := xml.NewDecoder(strings.NewReader(text))
	for {
		if _, err := d.Token(); err != nil {
			if err.Error() != "EOF" {
				t.Fatalf("not well-formed: %v", err)
			}
			return
		}
	}
}
