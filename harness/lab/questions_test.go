package lab_test

import (
	"reflect"
	"strings"
	"testing"

	"netnscheck/harness/claim"
	"netnscheck/harness/internal/program"
	"netnscheck/harness/scenario"
)

// TestEveryQuestionIsAnswered asks each kind of question in the nearly empty host namespace of a lab. Any answer is
// right, but there must be one.
func TestEveryQuestionIsAnswered(t *testing.T) {
	l := started(t)
	there := strings.NewReplacer("`N`", "`host`", "`X`", "`lo`")
	sentences := []string{"the attribute `offload:tso` of `lo` in `host` is `on`"}
	for _, e := range claim.Entries() {
		for _, f := range e.Forms {
			sentences = append(sentences, there.Replace(f.Examples()[0]))
		}
	}
	answered := map[reflect.Type]bool{}
	for _, sentence := range sentences {
		c := claimOf(t, sentence)
		kind := reflect.TypeOf(c.Needs().Question)
		if kind == nil || answered[kind] {
			continue
		}
		if q, ok := c.Needs().Question.(claim.ToProgram); ok {
			if err := program.Installed(scenario.Command{Argv: q.Argv()}); err != nil {
				t.Log(err)
				continue
			}
		}
		base, err := l.Baseline(t.Context(), []scenario.Check{{Claim: c}})
		if err != nil {
			t.Fatal(err)
		}
		if v := l.Evaluate(t.Context(), c, base); v.Outcome == scenario.Error {
			t.Errorf("%s, which asks a %v: %s", sentence, kind, v.Reason)
		}
		base.Close()
		answered[kind] = true
	}
	if len(answered) < 8 {
		t.Errorf("only %d kinds of questions are asked", len(answered))
	}
}
