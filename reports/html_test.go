package reports

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"netnscheck/harness/scenario"
	"netnscheck/harness/term"
)

// html is the page of a run.
func html(t testing.TB, r *Run) string {
	t.Helper()
	var b bytes.Buffer
	if err := newHTML(&b, Options{}).Finish(r); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestHTMLGolden: the page without its style and script, which are files of their own.
func TestHTMLGolden(t *testing.T) {
	page := html(t, sample())
	for _, own := range []string{htmlStyle, htmlScript} {
		if n := strings.Count(page, own); n != 1 {
			t.Errorf("the page has its style or its script %d times", n)
		}
		page = strings.ReplaceAll(page, own, "…")
	}
	golden(t, "report.golden.html", regexp.MustCompile(`sha256-[^&]*(&#43;[^&]*)*`).ReplaceAllString(page, "sha256-…"))
}

// TestHTMLTakesNoPart: the page is the same for a reader whatever a run tells; nothing of it is markup, and no
// character in it, nor in its data, has another effect than to be seen.
func TestHTMLTakesNoPart(t *testing.T) {
	page := html(t, hostileRun())
	plain := html(t, withTexts("x"))
	for _, tag := range []string{"<script", "</script", "<img", "<!--", "<style", "</style", "<li", "<pre"} {
		if got, want := count(page, tag), count(plain, tag); got != want {
			t.Errorf("%s is in the page %d times, with harmless texts %d times", tag, got, want)
		}
	}
	if got := term.Printable(page); got != page {
		t.Error("the page has characters that are not printable")
	}
	blocks := regexp.MustCompile(`(?s)<script type="application/json"[^>]*>(.*?)</script>`).FindAllStringSubmatch(page, -1)
	if len(blocks) != 2 {
		t.Fatalf("there are %d blocks of data", len(blocks))
	}
	for _, block := range blocks {
		var value any
		if err := json.Unmarshal([]byte(block[1]), &value); err != nil {
			t.Fatal(err)
		}
		texts := 0
		walk(reflect.ValueOf(value), func(v reflect.Value) {
			texts++
			if text := v.String(); term.Printable(text) != text {
				t.Errorf("the data has %q", text)
			}
		})
		if texts < 10 {
			t.Errorf("the data has only %d texts", texts)
		}
	}
}

func count(page, tag string) int {
	page = strings.ReplaceAll(strings.ReplaceAll(page, htmlScript, ""), htmlStyle, "")
	return strings.Count(strings.ToLower(page), tag)
}

// TestHTMLOnARunnersLog: what a CI runner's log does to text leaves style and script as their hashes say.
func TestHTMLOnARunnersLog(t *testing.T) {
	var b strings.Builder
	out := term.NewWriter(&b, true)
	fmt.Fprint(out, html(t, sample()))
	for _, own := range []string{htmlStyle, htmlScript} {
		if !strings.Contains(b.String(), own) {
			t.Error("the page has another style or script there")
		}
	}
}

func TestVerdict(t *testing.T) {
	for want, change := range map[string]func(*Run){
		"Passed":         func(*Run) {},
		"Failed":         func(r *Run) { r.Suites[0].Cases[0].Outcome = scenario.Blocked },
		"Nothing passed": func(r *Run) { r.Suites[0].Cases[0].Outcome = scenario.Skip },
		"Not finished":   func(r *Run) { *r = *unfinished() },
		"Failed ":        func(r *Run) { r.Leftovers = []string{"a namespace"} },
		"Failed  ":       func(r *Run) { r.Guests = []Guest{{Name: "6.1", Class: "panic"}} },
	} {
		r := passed()
		change(r)
		words, good := verdict(r)
		if words != strings.TrimSpace(want) || good != (want == "Passed") {
			t.Errorf("%q, good %v; want %q", words, good, want)
		}
	}
}

// TestHTMLTellsAlikeOnce: what drivers and kernels say alike is in the page once, and all failures above a number are
// in the table alone.
func TestHTMLTellsAlikeOnce(t *testing.T) {
	p := htmlOf(largeRun())
	for _, row := range p.Matrix.Rows {
		if len(row.Cases) != 100 || len(row.Details) > 20 {
			t.Errorf("%s has %d cases and %d details", row.ID, len(row.Cases), len(row.Details))
		}
	}
	r := passed()
	for i := range listed + 7 {
		c := Case{Name: fmt.Sprint("case ", i), SectionResult: scenario.SectionResult{
			Outcome: scenario.Fail, Step: 2 + i, Problems: []scenario.Problem{{Message: fmt.Sprint("fault ", i)}},
		}}
		r.Suites[0].Cases = append(r.Suites[0].Cases, c)
	}
	if p := htmlOf(r); len(p.Failures) != listed || p.More != 7 || !strings.Contains(html(t, r), "7 more did not pass") {
		t.Errorf("%d failures are listed, %d more", len(p.Failures), p.More)
	}
}

// passed is a run in which the first case of the sample passed.
func passed() *Run {
	r := sample()
	r.LeftOut, r.Problems, r.Suites = nil, nil, r.Suites[1:]
	return r
}

// outcomesRun has a case of every outcome, with attempts and an expectation.
func outcomesRun() *Run {
	r := sample()
	r.Problems = nil
	s := Suite{ID: "outcomes", Title: "Every outcome", Driver: "netlink", File: "outcomes.md"}
	for i, o := range scenario.Outcomes {
		c := Case{Name: "A case that is " + string(o), SectionResult: scenario.SectionResult{
			Step: i + 1, File: s.File, Line: i, Outcome: o, Reason: "the reason", Duration: time.Millisecond,
		}}
		if o.Bad() || o == scenario.XFail {
			c.Problems = []scenario.Problem{{Message: "`x` is not there", Hint: "look for `x`"}}
		}
		switch o {
		case scenario.Flaky:
			c.Attempts = []Attempt{
				{Outcome: scenario.Fail, Problems: []scenario.Problem{{Message: "the first one failed"}},
					Duration: 3 * time.Millisecond},
				{Outcome: scenario.Pass, Duration: 4 * time.Millisecond},
			}
		case scenario.XFail:
			c.Expectation = &Expectation{File: "expectations.yaml", Line: 7, Reason: "the kernel forgets it",
				Link: "https://x.example/1", Expires: "2027-01-31"}
		}
		s.Cases = append(s.Cases, c)
	}
	r.Suites = []Suite{s}
	return r
}

// hostile is text that would be markup, end a script, a string or an attribute, or change how a page looks.
const hostile = "</script><script>alert(1)</script><img src=x onerror=alert(2)>" +
	"\"'`<!--]]></style>{{.}}\u202e\x1b[31m\x00\xff"

func hostileRun() *Run { return withTexts(hostile) }

// withTexts is a run with every kind of report in it, each of whose texts ends with the given one.
func withTexts(text string) *Run {
	r := outcomesRun()
	guests := sampleGuests()
	r.Problems, r.Leftovers, r.Guests = []string{"a problem"}, []string{"a namespace"}, guests.Guests
	s := &r.Suites[0]
	s.Guest, s.Labels, s.Variables = "5.10", []string{"label"}, []Property{{"name", "value"}}
	from := guests.Suites[0].Cases
	for i := range s.Cases {
		c := &s.Cases[i]
		c.Transcript, c.Checks, c.Excluded = from[1].Transcript, from[1].Checks, []string{"a block"}
		c.Problems = append(c.Problems, from[1].Problems...)
	}
	copied, err := encodeJSON(r) // texts are shared in the sample
	if err != nil {
		panic(err)
	}
	if r, err = decodeJSON(bytes.NewReader(copied)); err != nil {
		panic(err)
	}
	walk(reflect.ValueOf(r), func(v reflect.Value) {
		switch {
		case v.Type() != reflect.TypeFor[string](): // an outcome
		case v.String() == GuestPassed, v.String() == GuestFailed:
		default:
			v.SetString(v.String() + text)
		}
	})
	return r
}

// walk calls f for each text in a value.
func walk(v reflect.Value, f func(reflect.Value)) {
	switch v.Kind() {
	case reflect.String:
		f(v)
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			walk(v.Elem(), f)
		}
	case reflect.Slice:
		for i := range v.Len() {
			walk(v.Index(i), f)
		}
	case reflect.Map:
		for _, key := range v.MapKeys() {
			walk(v.MapIndex(key), f)
		}
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			return
		}
		for i := range v.NumField() {
			walk(v.Field(i), f)
		}
	}
}

// largeRun has 5,000 cases, as a matrix of kernels has: 50 scenarios of 10 steps with 2 drivers on 5 kernels, some of
// which fail.
func largeRun() *Run {
	r := sample()
	r.Suites, r.Problems = nil, nil
	details := sample().Suites[0].Cases
	for _, guest := range []string{"5.10", "6.1", "6.12", "6.18", "7.2"} {
		r.Guests = append(r.Guests, Guest{Name: guest, Class: GuestFailed})
		for n := range 50 {
			for _, driver := range []string{"iproute2", "netlink"} {
				s := Suite{ID: fmt.Sprint("scenario-", n), Title: fmt.Sprint("Scenario ", n), Driver: driver, Guest: guest}
				for step := range 10 {
					c := details[0]
					if step == 3 && n%5 == 0 && driver == "netlink" {
						c = details[1]
					}
					c.Name, c.Step, c.Mistake = fmt.Sprint("step-", step), step+1, 0
					c.Duration = time.Duration(n+step) * time.Millisecond
					s.Cases = append(s.Cases, c)
				}
				r.Suites = append(r.Suites, s)
			}
		}
	}
	return r
}

func BenchmarkHTML(b *testing.B) {
	r := largeRun()
	for b.Loop() {
		html(b, r)
	}
}
