package reports

import (
	"fmt"
	"io"

	"netnscheck/harness/scenario"
)

// kselftest writes all cases in one flat list. Suite and case make the name.
type kselftest struct {
	out    io.Writer
	suites *perSuite
	number int
	totals struct{ pass, fail, xfail, xpass, skip, errors int }
}

func newKselftest(out io.Writer, _ Options) Sink {
	return &kselftest{out: out, suites: newPerSuite(nil)}
}

func (k *kselftest) Plan(suites []Suite) {
	k.suites = newPerSuite(suites)
	n := 1 // the run itself
	for i := range suites {
		n += len(suites[i].Cases)
	}
	fmt.Fprintf(k.out, "TAP version 13\n1..%d\n", n)
}

func (k *kselftest) Begin(*Suite, *Case) {}

func (k *kselftest) End(s *Suite, c *Case) {
	k.suites.of(s).add(c)
	k.count(c.Outcome)
	k.number++
	line := tapResult(ktapPasses(c.Outcome), k.number, s.Name()+" "+c.Name)
	switch c.Outcome {
	case scenario.Skip, scenario.Blocked, scenario.NotRun, scenario.XFail:
		line += " # " + ktapDirective(c)
	}
	if c.Duration > 0 { // the last field: NIPA takes the time from there
		line += fmt.Sprintf(" # time=%dms", c.Duration.Milliseconds())
	}
	fmt.Fprint(k.out, tapDiagnostics(s, c), line, "\n")
}

func (k *kselftest) count(o scenario.Outcome) {
	n := &k.totals.errors
	switch o {
	case scenario.Pass:
		n = &k.totals.pass
	case scenario.Fail, scenario.Flaky:
		n = &k.totals.fail
	case scenario.XFail:
		n = &k.totals.xfail
	case scenario.XPass:
		n = &k.totals.xpass
	case scenario.Skip, scenario.Blocked, scenario.NotRun:
		n = &k.totals.skip
	}
	*n++
}

func (k *kselftest) Finish(r *Run) error {
	k.suites.rest(r, k.End)
	bad := r.faults()
	for _, text := range bad {
		fmt.Fprint(k.out, diagnostics(text))
	}
	k.number++
	fmt.Fprintln(k.out, tapResult(len(bad) == 0, k.number, theRun))
	k.count(map[bool]scenario.Outcome{true: scenario.Pass, false: scenario.Error}[len(bad) == 0])
	t := k.totals
	fmt.Fprintf(k.out, "# Totals: pass:%d fail:%d xfail:%d xpass:%d skip:%d error:%d\n",
		t.pass, t.fail, t.xfail, t.xpass, t.skip, t.errors)
	return nil
}
