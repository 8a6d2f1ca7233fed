package reports

import (
	"fmt"
	"io"
	"strings"

	"netnscheck/harness/scenario"
	"netnscheck/harness/term"
)

// The two forms in which kernel developers exchange results of tests, written as the cases end. KTAP is described in
// the kernel's Documentation/dev-tools/ktap.rst: a suite is a test, its cases are its subtests. The form of kselftest
// is flat, as tools/testing/selftests/kselftest.h writes it; NIPA and KernelCI read it. In both, the last test is the
// run itself: where it is missing, the run was killed.
//
// Neither has a word for each outcome. Blocked and not run are skips, as in JUnit: what is to blame is a failure of its
// own, of a step or of the run. A skip makes no run bad, and so none of them passes because of that.

// ktap writes tests with subtests.
type ktap struct {
	out    io.Writer
	suites *perSuite
	number int // of the last test
}

func newKTAP(out io.Writer, _ Options) Sink { return &ktap{out: out, suites: newPerSuite(nil)} }

func (k *ktap) Plan(suites []Suite) {
	k.suites = newPerSuite(suites)
	fmt.Fprintf(k.out, "KTAP version 1\n1..%d\n", len(suites)+1)
}

func (k *ktap) Begin(*Suite, *Case) {}

func (k *ktap) End(s *Suite, c *Case) {
	so := k.suites.of(s)
	if so.ended == 0 {
		fmt.Fprintf(k.out, "  KTAP version 1\n  1..%d\n", so.planned)
	}
	so.add(c)
	fmt.Fprint(k.out, indent(ktapCase(s, c, so.ended), 2))
	if so.ended == so.planned {
		k.result(s.Name(), so.counts)
	}
}

// result is the line of a suite: one of which everything was skipped is skipped.
func (k *ktap) result(name string, c Counts) {
	k.number++
	line := tapResult(c.Bad() == 0, k.number, name)
	if c.Skip == c.Total() {
		line += " # SKIP every case was skipped"
	}
	fmt.Fprintln(k.out, line)
}

func (k *ktap) Finish(r *Run) error {
	k.suites.rest(r, k.End)
	bad := r.faults()
	for _, text := range bad {
		fmt.Fprint(k.out, diagnostics(text))
	}
	k.number++
	fmt.Fprintln(k.out, tapResult(len(bad) == 0, k.number, theRun))
	return nil
}

// theRun is the name of the test that is the run itself.
const theRun = "run"

// faults are what is wrong with the run itself, not with its cases: problems, leftovers, guests that ended badly.
func (r *Run) faults() (texts []string) {
	for _, s := range r.problemSuites() {
		for i := range s.Cases {
			texts = append(texts, s.Name()+": "+s.Cases[i].Name+": "+s.Cases[i].Problems[0].Message)
		}
	}
	return texts
}

// ktapCase is a case with its diagnostics, which stand before its result.
func ktapCase(s *Suite, c *Case, number int) string {
	line := tapResult(ktapPasses(c.Outcome), number, c.Name)
	if directive := ktapDirective(c); directive != "" {
		line += " # " + directive
	}
	return tapDiagnostics(s, c) + line + "\n"
}

// ktapPasses reports whether the line of a case begins with ok.
func ktapPasses(o scenario.Outcome) bool {
	switch o {
	case scenario.Pass, scenario.Skip, scenario.XFail, scenario.Blocked, scenario.NotRun:
		return true
	}
	return false
}

// ktapDirective is a directive with its reason, "" for none.
func ktapDirective(c *Case) string {
	switch c.Outcome {
	case scenario.Pass:
		return ""
	case scenario.Skip:
		return tapReason("SKIP", c.Headline())
	case scenario.Blocked, scenario.NotRun:
		return tapReason("SKIP", string(c.Outcome)+": "+c.Headline())
	case scenario.XFail:
		return tapReason("XFAIL", c.Why())
	case scenario.Fail:
		return tapText(c.Headline())
	case scenario.XPass, scenario.Flaky:
		return tapText(string(c.Outcome) + ": " + c.Why())
	}
	return tapReason("ERROR", c.Headline())
}

// tapReason is a directive and its reason, if there is one.
func tapReason(directive, reason string) string {
	return strings.TrimSpace(directive + " " + tapText(reason))
}

// tapResult is the line of a result up to its name.
func tapResult(ok bool, number int, name string) string {
	if ok {
		return fmt.Sprintf("ok %d %s", number, tapName(name))
	}
	return fmt.Sprintf("not ok %d %s", number, tapName(name))
}

// tapName is a name that parsers do not misread: # begins a directive, and what begins with a dash or a digit could be
// taken for a separator or a number.
func tapName(name string) string {
	name = strings.TrimSpace(strings.ReplaceAll(tapText(name), "#", "no."))
	if name == "" || strings.ContainsRune("-0123456789", rune(name[0])) {
		name = "case " + name
	}
	return strings.TrimSpace(name)
}

// tapText is a text for the line of a result. A # in it would begin another directive.
func tapText(text string) string { return strings.ReplaceAll(term.Brief(text), " #", " no.") }

// tapDiagnostics are why a bad case is bad and the command that plays it again, "" for others: a reader who looks for
// words such as FAIL finds none where nothing failed.
func tapDiagnostics(s *Suite, c *Case) string {
	if ktapPasses(c.Outcome) {
		return ""
	}
	return diagnostics(s.Explain(c))
}

// diagnostics are the lines of a text as diagnostics. They are indented: `# Subtest: …` and `# ok …` would mean
// something to parsers.
func diagnostics(text string) string {
	var b strings.Builder
	for line := range strings.Lines(term.Printable(bounded(text))) {
		b.WriteString(strings.TrimRight("#   "+line, " \n") + "\n")
	}
	return b.String()
}
