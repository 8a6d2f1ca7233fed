package grade

import (
	"encoding/xml"
	"fmt"
	"strings"

	"netnscheck/harness/term"
)

// The elements of a JUnit report, as in the schema of Jenkins' xunit plugin: a suite for each learner, a case for each
// step. All texts in them are printable.
type (
	junitClass struct {
		XMLName  xml.Name     `xml:"testsuites"`
		Name     string       `xml:"name,attr"`
		Tests    int          `xml:"tests,attr"`
		Failures int          `xml:"failures,attr"`
		Errors   int          `xml:"errors,attr"`
		Suites   []junitSuite `xml:"testsuite"`
	}
	junitSuite struct {
		Name     string      `xml:"name,attr"`
		Tests    int         `xml:"tests,attr"`
		Failures int         `xml:"failures,attr"`
		Errors   int         `xml:"errors,attr"`
		Skipped  int         `xml:"skipped,attr"`
		Cases    []junitCase `xml:"testcase"`
	}
	junitCase struct {
		Name      string       `xml:"name,attr"`
		Classname string       `xml:"classname,attr"`
		Skipped   *junitDetail `xml:"skipped"`
		Failure   *junitDetail `xml:"failure"`
		Error     *junitDetail `xml:"error"`
	}
	junitDetail struct {
		Message string `xml:"message,attr"`
		Text    string `xml:",chardata"`
	}
)

// JUnit is the table for a CI server. What nobody handed in is skipped, what could not be graded is an error.
func (c *Class) JUnit() (string, error) {
	all := junitClass{Name: term.OneLine(c.Scenario)}
	for _, l := range c.Learners {
		s := junitSuite{Name: term.OneLine(l.Name)}
		for i, step := range c.Steps {
			one := junitCase{Name: term.OneLine(fmt.Sprintf("%d %s", i+1, step.Title)), Classname: s.Name}
			switch {
			case l.Status == Missing:
				one.Skipped = &junitDetail{Message: l.outcome()}
				s.Skipped++
			case l.Status == Ungraded:
				one.Error = &junitDetail{Message: term.OneLine(l.outcome())}
				s.Errors++
			case !l.Marks[i].Passed:
				one.Failure = l.failure(i + 1)
				s.Failures++
			}
			s.Cases = append(s.Cases, one)
		}
		s.Tests = len(s.Cases)
		all.Tests, all.Failures, all.Errors = all.Tests+s.Tests, all.Failures+s.Failures, all.Errors+s.Errors
		all.Suites = append(all.Suites, s)
	}
	text, err := xml.MarshalIndent(all, "", "  ")
	return xml.Header + string(text) + "\n", err
}

// failure says why a step, of this number, is not done.
func (l *Learner) failure(step int) *junitDetail {
	if l.First == nil || l.First.Step != step {
		return &junitDetail{Message: "not done"}
	}
	lines := []string{l.First.Check}
	if l.First.Found != "" {
		lines = append(lines, "found: "+l.First.Found)
	}
	for _, line := range append([]string{l.First.Note}, append(l.First.Cause, l.Trouble)...) {
		if line != "" {
			lines = append(lines, line)
		}
	}
	return &junitDetail{Message: term.OneLine(lines[0]), Text: term.Printable(strings.Join(lines, "\n"))}
}
