package compare

import (
	"bytes"
	"path/filepath"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"netnscheck/harness/term"
	"netnscheck/reports"
)

// TestJSONFollowsItsSchema: comparisons with changes of every kind, with cases that take longer and others that take
// less, and one of a run with itself. What the schema does not have is refused by it.
func TestJSONFollowsItsSchema(t *testing.T) {
	compiler := jsonschema.NewCompiler()
	compiler.AssertFormat()
	schema, err := compiler.Compile(filepath.Join("..", "..", "docs", "schema", "compare-1.json"))
	if err != nil {
		t.Fatal(err)
	}
	check := func(value any) error {
		var b bytes.Buffer
		if err := term.WriteJSON(&b, value); err != nil {
			t.Fatal(err)
		}
		parsed, err := jsonschema.UnmarshalJSON(&b)
		if err != nil {
			t.Fatal(err)
		}
		return schema.Validate(parsed)
	}
	same := []reports.Saved{saved("a.json", suite("a", "netlink", "x: pass"))}
	for name, c := range map[string]*Comparison{
		"every kind": everyKind(t),
		"slower":     compared(t, repeats(5, 3, 9*time.Millisecond), repeats(5, 3, 90*time.Millisecond)),
		"faster":     compared(t, repeats(5, 3, 90*time.Millisecond), repeats(5, 3, 9*time.Millisecond)),
		"the same":   compared(t, same, same),
	} {
		if err := check(c); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	wrong := everyKind(t)
	wrong.Changes[0].Kind = "worse"
	if check(wrong) == nil {
		t.Error("a kind that there is not passes")
	}
	if check(struct {
		*Comparison
		More int `json:"more"`
	}{everyKind(t), 1}) == nil {
		t.Error("a field that there is not passes")
	}
}
