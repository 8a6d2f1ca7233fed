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
	junitCase struct {
		Name      string       `xml:"name,attr"`
		Classname string       `xml:"classname,attr"`
		Time      string       `xml:"time,attr"`
		Skipped   *junitDetail `xml:"skipped"`
		Failure   *junitDetail `xml:"failure"`
		Error     *junitDetail `xml:"error"`
		SystemOut *junitText   `xml:"system-out"`
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

func junit(r *Run) *junitRun {
	c := r.Count()
	out := &junitRun{
		Name: "netnscheck", Tests: c.Total(), Failures: c.Fail, Errors: c.Error, Time: seconds(r.Duration),
	}
	for i := range r.Suites {
		out.Suites = append(out.Suites, junitOfSuite(r, &r.Suites[i]))
	}
	for _, s := range r.problemSuites() {
		suite := junitOfSuite(r, &s)
		out.Tests += suite.Tests
		out.Errors += suite.Errors
		out.Suites = append(out.Suites, suite)
	}
	return out
}

func junitOfSuite(r *Run, s *Suite) junitSuite {
	c := s.Count()
	started := s.Started
	if started.IsZero() {
		started = r.Started
	}
	out := junitSuite{
		Name: term.Printable(s.Name()), Tests: c.Total(), Failures: c.Fail, Errors: c.Error,
		Skipped: c.Skip + c.Blocked + c.NotRun,
		Time:    seconds(s.Duration()), Timestamp: timestamp(started), Hostname: term.Printable(r.Hostname),
		File: term.Printable(s.File),
	}
	own := []Property{{"title", s.Title}, {"driver", s.Driver}}
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
		out.Cases = append(out.Cases, junitOfCase(s, &s.Cases[i]))
	}
	return out
}

func junitOfCase(s *Suite, c *Case) junitCase {
	out := junitCase{Name: term.Printable(c.Name), Classname: term.Printable(s.Name()), Time: seconds(c.Duration)}
	switch c.Outcome {
	case scenario.Pass:
	case scenario.Skip:
		out.Skipped = &junitDetail{Message: c.Headline()}
	case scenario.Blocked, scenario.NotRun: // what blocks it, or ended the run, is a failure or an error of its own
		out.Skipped = &junitDetail{Message: string(c.Outcome) + ": " + c.Headline()}
	case scenario.Fail:
		out.Failure = &junitDetail{Message: c.Headline(), Type: "fail", Text: c.Describe()}
	default:
		out.Error = &junitDetail{Message: c.Headline(), Type: "error", Text: c.Describe()}
	}
	if text := systemOut(c); text != "" {
		out.SystemOut = &junitText{text}
	}
	return out
}

// systemOut is what was left out, the transcript, and the checks.
func systemOut(c *Case) string {
	text := ""
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
	return text
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
