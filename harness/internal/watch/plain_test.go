package watch

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"

	"netnscheck/harness/sitting"
	"netnscheck/harness/term"
)

// TestPlain: each change is told once, in words; nothing is drawn, and nothing is written over.
func TestPlain(t *testing.T) {
	l := moving(t, false)
	start := l.start()
	hinted := start
	hinted.Hints, hinted.HintsLeft = []string{"Look at `netns`."}, 1
	worse := start
	worse.Steps = append([]sitting.Step(nil), start.Steps...)
	worse.Steps[step-1].Checks = append([]sitting.Check(nil), start.Steps[step-1].Checks...)
	worse.Steps[step-1].Checks[0] = sitting.Check{Text: "`lo` is up", Status: sitting.Lost, Found: "it is down"}
	worse.Steps[step-1].Checks[1] = sitting.Check{Text: "x", Status: sitting.Undecided, Found: "no answer"}
	end := l.end()
	next := end
	next.Step++
	next.Intro, next.Prose, next.Answer = "", "Now the addresses.", nil
	all := next
	all.Step, all.Intro, all.Prose = len(all.Steps)+1, "Well done.", ""
	var out bytes.Buffer
	if err := tell(t.Context(), &out, start, start, hinted, worse, end, end, next, all); err != nil {
		t.Fatal(err)
	}
	golden(t, "plain", out.String())
	if strings.ContainsAny(out.String(), "\x1b\r✓✗→│┌") {
		t.Error("there are signs in it")
	}
}

func tell(ctx context.Context, out io.Writer, views ...sitting.View) error {
	lab := &fake{views: make(chan viewed, len(views)+1)}
	for _, v := range views {
		lab.views <- viewed{view: v}
	}
	lab.views <- viewed{err: io.EOF}
	return Plain(ctx, out, lab, 80, true)
}

// TestPlainOfHostileText: what comes out of the lab cannot act on the terminal.
func TestPlainOfHostileText(t *testing.T) {
	const evil = "a\x1b[2J\x07\u202eb\r\nc"
	c := sitting.Check{Text: evil, Status: sitting.Lost, Found: evil}
	v := sitting.View{Title: evil, Step: 1, Steps: []sitting.Step{{Title: evil, Checks: []sitting.Check{c}}, {}},
		Prose: evil, Hints: []string{evil}, Changed: []string{evil},
		Answer: &sitting.Answer{Title: evil, Text: evil, Repair: evil}}
	later := v
	later.Changed, later.Hints = []string{evil, evil}, []string{evil, evil}
	var out bytes.Buffer
	if err := tell(t.Context(), &out, sitting.View{}, v, later, sitting.View{Step: -1}); err != nil {
		t.Fatal(err)
	}
	if got := out.String(); got != term.Printable(got) {
		t.Errorf("%q", got)
	}
}

// TestPlainIsInterrupted: it ends with its context, and with what it writes to.
func TestPlainIsInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	cause := errors.New("by SIGINT")
	cancel(cause)
	if err := Plain(ctx, io.Discard, &fake{views: make(chan viewed)}, 80, false); !errors.Is(err, cause) {
		t.Errorf("got %v", err)
	}
	full := errors.New("full")
	if err := tell(t.Context(), broken{full}, sitting.View{Title: "T"}); !errors.Is(err, full) {
		t.Errorf("got %v", err)
	}
}

type broken struct{ err error }

func (b broken) Write([]byte) (int, error) { return 0, b.err }
