package reports

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"slices"
	"strings"
	"sync"

	"netnscheck/harness/scenario"
	"netnscheck/harness/term"
)

//go:embed html/page.html
var htmlLayout string

//go:embed html/report.css
var htmlStyle string

//go:embed html/report.js
var htmlScript string

// htmlTemplate is the layout, read when it is first needed: each start of the program would take longer otherwise.
var htmlTemplate = sync.OnceValue(func() *template.Template {
	return template.Must(template.New("report").Funcs(template.FuncMap{"class": outcomeClass}).Parse(htmlLayout))
})

// newHTML is the sink for HTML: one page for people, which loads nothing. Without scripts it has the failures and the
// matrix; the details of all other cases are data in it, which the page's own script shows as text.
func newHTML(out io.Writer, o Options) Sink {
	return atEnd(func(r *Run) error {
		var b bytes.Buffer
		if err := htmlTemplate().Execute(&b, htmlOf(r.seenFrom(o.File))); err != nil {
			return err
		}
		_, err := out.Write(b.Bytes())
		return err
	})
}

// htmlPage is what the layout shows. All texts in it are printable (term.Printable); the template escapes them.
type htmlPage struct {
	Policy     string // Content-Security-Policy: nothing but the page's own style and script
	Style      template.CSS
	Script     template.JS
	Good       bool
	Verdict    string // a word or two
	Summary    string // a line with the counts
	Facts      []string
	Counts     []htmlCount
	Total      int
	Troubles   []htmlTrouble
	Failures   []htmlFailure
	More       int // failures that are not listed, but in the matrix
	Matrix     *htmlMatrix
	Unplayed   []htmlUnplayed
	LeftOut    []string
	Install    string
	Properties []Property
	Guests     []htmlGuest
	Index      htmlIndex
}

// htmlCount is how many cases have an outcome.
type htmlCount struct {
	Outcome scenario.Outcome
	N       int
}

// htmlTrouble is a problem of the run itself or of a guest.
type htmlTrouble struct{ Title, First, Text string }

// htmlFailure is a case that did not pass, with all places where the same is said about it.
type htmlFailure struct {
	Outcome                               scenario.Outcome
	Name, Suite, Played, Where, Took, Why string
	Refs                                  string // of its cases in the matrix
	// Said, Transcript and Checks are the details in plain text, for readers without scripts.
	Said, Transcript, Checks string
	Evidence                 *htmlLink
}

// htmlUnplayed is why a number of cases were not played.
type htmlUnplayed struct {
	Outcome scenario.Outcome
	Reason  string
	N       int
}

// htmlGuest is a guest and how it ended.
type htmlGuest struct {
	Name, Class, Words, Took string
	Shape                    string // the class of an outcome
	Properties               []Property
	Details                  string
}

// listed is how many failures are listed with their details. Whatever went wrong in more of them is one fault.
const listed = 200

func htmlOf(r *Run) *htmlPage {
	count := r.Count()
	p := &htmlPage{
		Style: template.CSS(htmlStyle), Script: template.JS(htmlScript),
		Policy: fmt.Sprintf("default-src 'none'; img-src data:; style-src '%s'; script-src '%s'; "+
			"base-uri 'none'; form-action 'none'", sourceHash(htmlStyle), sourceHash(htmlScript)),
		Summary: count.String(), Total: count.Total(), Troubles: htmlTroubles(r), Matrix: htmlMatrixOf(r),
		Properties: printables(r.Properties), Install: term.OneLine(r.Install),
	}
	p.Index = p.Matrix.index()
	p.Verdict, p.Good = verdict(r)
	p.Facts = htmlFacts(r)
	for _, o := range scenario.Outcomes {
		if n := *count.of(o); n > 0 {
			p.Counts = append(p.Counts, htmlCount{o, n})
		}
	}
	for _, f := range alike(r, whyBad) {
		if len(p.Failures) == listed {
			p.More++
			continue
		}
		p.Failures = append(p.Failures, p.Matrix.failure(&f))
	}
	p.Unplayed = htmlUnplayedOf(r)
	for _, l := range r.LeftOut {
		p.LeftOut = append(p.LeftOut, term.OneLine(l.String()))
	}
	for i := range r.Guests {
		p.Guests = append(p.Guests, htmlGuestOf(&r.Guests[i]))
	}
	return p
}

// sourceHash is the hash by which a Content-Security-Policy names an inline style or script.
func sourceHash(source string) string {
	sum := sha256.Sum256([]byte(source))
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}

// verdict says in a word or two how a run ended, and whether that is good.
func verdict(r *Run) (words string, good bool) {
	count := r.Count()
	switch {
	case r.Unfinished:
		return "Not finished", false
	case count.Bad() > 0 || len(r.Problems)+len(r.Leftovers) > 0 ||
		slices.ContainsFunc(r.Guests, func(g Guest) bool { return g.Bad() }):
		return "Failed", false
	case count.Pass+count.XFail == 0:
		return "Nothing passed", false
	}
	return "Passed", true
}

// htmlFacts are the facts that a reader looks for first: where, when, how long, with which kernel and programs.
func htmlFacts(r *Run) []string {
	var facts []string
	if r.Hostname != "" {
		facts = append(facts, term.OneLine(r.Hostname))
	}
	facts = append(facts, r.Started.UTC().Format("2 January 2006, 15:04 UTC"))
	if r.Duration > 0 {
		facts = append(facts, duration(r.Duration))
	}
	for _, p := range r.Properties {
		switch p.Name {
		case "kernel", "iproute2", "busybox", "architecture":
			facts = append(facts, p.Name+" "+term.OneLine(p.Value))
		}
	}
	if n := len(r.Guests); n > 0 {
		facts = append(facts, term.Count(n, "kernel"))
	}
	if slow := r.slow(); slow != "" {
		facts = append(facts, "limits "+term.OneLine(slow)+" times as long as usual")
	}
	return facts
}

// htmlTroubles are the problems of the run itself and of its guests.
func htmlTroubles(r *Run) (all []htmlTrouble) {
	tell := func(title, text string) {
		all = append(all, htmlTrouble{term.OneLine(title), term.Brief(firstLine(text)), term.Printable(text)})
	}
	for _, p := range r.Problems {
		tell("The run itself", p)
	}
	for _, p := range r.Leftovers {
		tell("Left behind", p)
	}
	for i := range r.Guests {
		if g := &r.Guests[i]; g.Bad() {
			tell("Kernel "+g.Name, g.Describe())
		}
	}
	return all
}

// htmlUnplayedOf groups cases that were skipped, blocked or not run by their reasons, the most frequent first.
func htmlUnplayedOf(r *Run) (all []htmlUnplayed) {
	for i := range r.Suites {
		for j := range r.Suites[i].Cases {
			c := &r.Suites[i].Cases[j]
			if c.Outcome != scenario.Skip && c.Outcome != scenario.Blocked && c.Outcome != scenario.NotRun {
				continue
			}
			reason := cmp.Or(c.Headline(), "no reason is known")
			n := slices.IndexFunc(all, func(u htmlUnplayed) bool { return u.Outcome == c.Outcome && u.Reason == reason })
			if n < 0 {
				n = len(all)
				all = append(all, htmlUnplayed{Outcome: c.Outcome, Reason: reason})
			}
			all[n].N++
		}
	}
	slices.SortStableFunc(all, func(a, b htmlUnplayed) int { return cmp.Compare(b.N, a.N) })
	return all
}

func htmlGuestOf(g *Guest) htmlGuest {
	shape := scenario.Error
	switch g.Class {
	case GuestPassed:
		shape = scenario.Pass
	case GuestFailed:
		shape = scenario.Fail
	}
	return htmlGuest{
		Name: term.OneLine(g.Name), Class: term.OneLine(g.Class), Words: term.OneLine(g.Words), Took: duration(g.Took),
		Shape: outcomeClass(shape), Properties: printables(g.Properties),
		Details: term.Printable(strings.Join(g.details(), "\n")),
	}
}

func printables(properties []Property) []Property {
	var clean []Property
	for _, p := range properties {
		clean = append(clean, Property{term.OneLine(p.Name), term.OneLine(p.Value)})
	}
	return clean
}

// known is an outcome that the page has a shape for; one that is not known counts as an error, as in Counts.
func known(o scenario.Outcome) scenario.Outcome {
	if slices.Contains(scenario.Outcomes, o) {
		return o
	}
	return scenario.Error
}

// outcomeClass is the class of an outcome in the style.
func outcomeClass(o scenario.Outcome) string { return strings.ReplaceAll(string(o), " ", "-") }
