package reports

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"
	"time"

	"netnscheck/harness/scenario"
	"netnscheck/harness/term"
)

// The elements of a JUnit report, as in the schema of Jenkins' xunit plugin. All texts in them are printable
// (term.Printable).
type (
	junitRun struct {
		XMLName  xml.Name     `xml:"testsuites"`
		Name     string       `xml:"name,attr"`
		Tests    int          `xml:"tests,attr"`
		Failures int          `xml:"failures,attr"`
		Errors   int          `xml:"errors,attr"`
		Time     string       `xml:"time,attr"`
		Suites   []junitSuite `xml:"testsuite"`
	}
	junitSuite struct {
		Name       string          `xml:"name,attr"`
		Tests      int             `xml:"tests,attr"`
		Failures   int             `xml:"failures,attr"`
		Errors     int             `xml:"errors,attr"`
		Skipped    int             `xml:"skipped,attr"`
		Time       string          `xml:"time,attr"`
		Timestamp  string          `xml:"timestamp,attr"`
		Hostname   string          `xml:"hostname,attr,omitempty"`
		File       string          `xml:"file,attr,omitempty"`
		Properties []junitProperty `xml:"properties>property"`
		Cases      []junitCase     `xml:"testcase"`
	}
	junitProperty struct {
		Name  string `xml:"name,attr"`
		Value string `xml:"value,attr"`
	}
	// junitCase has its elements in the order of Surefire's schema. rerun… are other plays of a case that is bad,
	// flaky… those of one that is not.
	junitCase struct {
		Name          string            `xml:"name,attr"`
		Classname     string            `xml:"classname,attr"`
		Time          string            `xml:"time,attr"`
		Failure       *junitDetail      `xml:"failure"`
		RerunFailures []junitRepetition `xml:"rerunFailure"`
		FlakyFailures []junitRepetition `xml:"flakyFailure"`
		Skipped       *junitDetail      `xml:"skipped"`
		Error         *junitDetail      `xml:"error"`
		RerunErrors   []junitRepetition `xml:"rerunError"`
		FlakyErrors   []junitRepetition `xml:"flakyError"`
		SystemOut     *junitText        `xml:"system-out"`
	}
	junitRepetition struct {
		Message    string     `xml:"message,attr"`
		Type       string     `xml:"type,attr"`
		StackTrace string     `xml:"stackTrace"`
		SystemOut  *junitText `xml:"system-out"`
	}
	junitDetail struct {
		Message string `xml:"message,attr"`
		Type    string `xml:"type,attr,omitempty"`
		Text    string `xml:",cdata"`
	}
	junitText struct {
		Text string `xml:",cdata"`
	}
)

// newJUnit is the sink for JUnit XML, for CI.
func newJUnit(out io.Writer, _ Options) Sink {
	return atEnd(func(r *Run) error {
		want := junit(r)
		text, err := want.encode()
		if err != nil {
			return err
		}
		back, err := decodeJUnit(text)
		if err != nil {
			return err
		}
		if !reflect.DeepEqual(back, want) {
			return errNotTheRun
		}
		_, err = out.Write(text)
		return err
	})
}

func (r *junitRun) encode() ([]byte, error) {
	var b bytes.Buffer
	b.WriteString(xml.Header)
	e := xml.NewEncoder(&b)
	e.Indent("", "  ")
	if err := e.Encode(r); err != nil {
		return nil, err
	}
	b.WriteByte('\n')
	return b.Bytes(), nil
}

func decodeJUnit(text []byte) (*junitRun, error) {
	r := &junitRun{}
	if err := xml.Unmarshal(text, r); err != nil {
		return nil, err
	}
	r.XMLName = xml.Name{}
	return r, nil
}

// junit is the run with its suites in the order of their names, so that no seed changes it.
func junit(r *Run) *junitRun {
	out := &junitRun{Name: "netnscheck", Time: seconds(r.Duration)}
	suites := slices.Clone(r.Suites)
	slices.SortStableFunc(suites, func(a, b Suite) int { return strings.Compare(a.Name(), b.Name()) })
	for _, s := range slices.Concat(suites, r.problemSuites()) {
		suite := junitOfSuite(r, &s)
		out.Tests += suite.Tests
		out.Failures += suite.Failures
		out.Errors += suite.Errors
		out.Suites = append(out.Suites, suite)
	}
	return out
}

func junitOfSuite(r *Run, s *Suite) junitSuite {
	started := s.Started
	if started.IsZero() {
		started = r.Started
	}
	out := junitSuite{
		Name: term.Printable(s.Name()), Tests: len(s.Cases), Time: seconds(s.Duration()), Timestamp: timestamp(started),
		Hostname: term.Printable(r.Hostname), File: term.Printable(s.File),
	}
	own := []Property{{"title", s.Title}, {"driver", s.Driver}}
	if s.Again != "" {
		own = append(own, Property{"to run it again", s.Again})
	}
	for _, v := range s.Variables {
		own = append(own, Property{"variable " + v.Name, v.Value})
	}
	if g := r.guest(s.Guest); g != nil {
		own = slices.Concat(own, g.properties())
	}
	for _, p := range slices.Concat(own, r.Properties, r.leftOutProperties()) {
		out.Properties = append(out.Properties, junitProperty{term.Printable(p.Name), term.Printable(p.Value)})
	}
	for i := range s.Cases {
		c := junitOfCase(s, &s.Cases[i])
		switch {
		case c.Skipped != nil:
			out.Skipped++
		case c.Failure != nil:
			out.Failures++
		case c.Error != nil:
			out.Errors++
		}
		out.Cases = append(out.Cases, c)
	}
	return out
}

func junitOfCase(s *Suite, c *Case) junitCase {
	out := junitCase{Name: term.Printable(c.Name), Classname: term.Printable(s.Name()), Time: seconds(c.Duration)}
	switch c.Outcome {
	case scenario.Pass:
	case scenario.Skip:
		out.Skipped = &junitDetail{Message: c.Headline()}
	case scenario.Blocked, scenario.NotRun, scenario.XFail: // of the first two something else is to blame, and failed
		out.Skipped = &junitDetail{Message: string(c.Outcome) + ": " + c.Why()}
	case scenario.Fail:
		out.Failure = &junitDetail{Message: c.Headline(), Type: "fail", Text: s.Explain(c)}
	case scenario.XPass, scenario.Flaky:
		out.Failure = &junitDetail{Message: c.Why(), Type: string(c.Outcome), Text: s.Explain(c)}
	default:
		out.Error = &junitDetail{Message: c.Headline(), Type: "error", Text: s.Explain(c)}
	}
	out.repeat(c)
	text := systemOut(c)
	if where := c.Where(scenario.Problem{}); where != "" { // no schema has a place for it
		text = term.OneLine("at "+where) + "\n" + text
	}
	if text != "" {
		out.SystemOut = &junitText{text}
	}
	return out
}

// repeat adds the plays of a case that failed, except the one that the case itself tells of.
func (out *junitCase) repeat(c *Case) {
	told := out.Failure != nil || out.Error != nil
	failures, errors := &out.FlakyFailures, &out.FlakyErrors
	if told {
		failures, errors = &out.RerunFailures, &out.RerunErrors
	}
	for _, a := range c.Attempts {
		if !a.Outcome.Bad() {
			continue
		}
		if told {
			told = false
			continue
		}
		play := a.play(c)
		again := junitRepetition{Message: play.Headline(), Type: string(a.Outcome), StackTrace: play.Describe()}
		if text := systemOut(&play); text != "" {
			again.SystemOut = &junitText{text}
		}
		if a.Outcome == scenario.Fail {
			*failures = append(*failures, again)
		} else {
			*errors = append(*errors, again)
		}
	}
}

// play is a case as one of its plays alone would have it.
func (a *Attempt) play(c *Case) Case {
	play := Case{Name: c.Name, SectionResult: c.SectionResult}
	play.Outcome, play.Problems, play.Reason, play.Duration = a.Outcome, a.Problems, a.Reason, a.Duration
	play.Checks, play.Transcript, play.Excluded = a.Checks, a.Transcript, nil
	return play
}

// systemOut are the plays of a case that was played more than once, what was left out, the transcript, and the checks.
func systemOut(c *Case) string {
	text := ""
	for i, a := range c.Attempts {
		text += fmt.Sprintf("play %d of %d: %s in %s\n", i+1, len(c.Attempts), a.Outcome, duration(a.Duration))
	}
	for _, sentence := range c.Excluded {
		text += "not played: " + sentence + "\n"
	}
	text += Transcript(c.Transcript)
	if len(c.Checks) > 0 {
		if text != "" {
			text += "\n"
		}
		text += Checks(c.Checks)
	}
	return term.Printable(text)
}

// problemSuites are suites for the problems of the run itself and of its guests: JUnit has no other place for them.
func (r *Run) problemSuites() (suites []Suite) {
	s := Suite{ID: "run", Title: "the run itself", Started: r.Started}
	for _, p := range r.Problems {
		s.Cases = append(s.Cases, problemCase("comes to its end", p))
	}
	for _, p := range r.Leftovers {
		s.Cases = append(s.Cases, problemCase("leaves nothing behind", p))
	}
	if len(s.Cases) > 0 {
		suites = append(suites, s)
	}
	for i := range r.Guests {
		if g := &r.Guests[i]; g.Bad() {
			suites = append(suites, Suite{ID: "kernel", Title: "the kernel itself", Guest: g.Name, Started: r.Started,
				Cases: []Case{problemCase("comes to its end", g.Describe())}})
		}
	}
	return suites
}

func problemCase(name, problem string) Case {
	return Case{Name: name, SectionResult: scenario.SectionResult{
		Outcome: scenario.Error, Problems: []scenario.Problem{{Message: problem}},
	}}
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.3f", max(d, 0).Seconds()) }

// timestamp is ISO 8601 in UTC without a zone, as the schema requires.
func timestamp(t time.Time) string {
	return strings.TrimSuffix(t.UTC().Format(time.RFC3339), "Z")
}
