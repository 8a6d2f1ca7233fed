package reports

import (
	"bytes"
	"encoding/json"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"netnscheck/harness/scenario"
)

// follows checks JSON against a published schema.
func follows(t *testing.T, schema, text string) error {
	t.Helper()
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	compiled, err := c.Compile(schema)
	if err != nil {
		t.Fatal(err)
	}
	value, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return compiled.Validate(value)
}

// published is the file of a schema.
func published(name string) string { return filepath.Join("..", "docs", "schema", name) }

// filled is a run in which every field is set. The words that the schema lists are known by their types.
func filled() *Run {
	r := &Run{}
	setAll(reflect.ValueOf(r).Elem())
	return r
}

func setAll(v reflect.Value) {
	switch x := v.Addr().Interface().(type) {
	case *scenario.Outcome:
		*x = scenario.Flaky
		return
	case *scenario.SectionKind:
		*x = scenario.MistakeSection
		return
	case *scenario.By:
		*x = scenario.Busybox
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString("after") // which is a phase, too
	case reflect.Int, reflect.Int64:
		v.SetInt(7)
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		setAll(v.Index(0))
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		setAll(v.Elem())
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				setAll(v.Field(i))
			}
		}
	}
}

// TestJSONFollowsItsSchema: every field of a run is in the published schema, and every field of the schema is one of a
// run: nobody adds, drops or renames one without it.
func TestJSONFollowsItsSchema(t *testing.T) {
	for name, r := range map[string]*Run{"sample": sample(), "guests": sampleGuests(), "every field": filled(),
		"empty": {}, "unfinished": unfinished()} {
		for i := range r.Suites {
			for j := range r.Suites[i].Cases {
				r.Suites[i].Cases[j].Clean()
			}
		}
		if err := follows(t, published("run-1.json"), report(t, "json", r, all)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		lines := report(t, "events", r, all)
		for line := range strings.Lines(lines) {
			if err := follows(t, published("events-1.json"), line); err != nil {
				t.Errorf("%s, the event %.200s: %v", name, line, err)
			}
		}
	}

	text := report(t, "json", filled(), all)
	names := map[string]bool{}
	var collect func(v any)
	collect = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			for name, value := range v {
				names[name] = true
				collect(value)
			}
		case []any:
			for _, value := range v {
				collect(value)
			}
		}
	}
	var value any
	if err := json.Unmarshal([]byte(text), &value); err != nil {
		t.Fatal(err)
	}
	collect(value)
	for name := range names {
		other := strings.ReplaceAll(text, `"`+name+`":`, `"another":`)
		if err := follows(t, published("run-1.json"), other); err == nil {
			t.Errorf("the schema takes a run with another name for %q", name)
		}
	}
}

// TestSchemaKnowsTheOutcomes: the schema lists those that there are.
func TestSchemaKnowsTheOutcomes(t *testing.T) {
	r := &Run{Properties: []Property{}, Suites: []Suite{{Cases: []Case{{}}}}}
	for _, o := range append([]scenario.Outcome{"mystery", ""}, scenario.Outcomes...) {
		r.Suites[0].Cases[0].Outcome, r.Suites[0].Cases[0].Kind = o, scenario.StepSection
		err := follows(t, published("run-1.json"), report(t, "json", r, all))
		if known := o != "mystery" && o != ""; known != (err == nil) {
			t.Errorf("the outcome %q: %v", o, err)
		}
	}
}

func TestCTRFFollowsItsSchema(t *testing.T) {
	for name, r := range map[string]*Run{"sample": sample(), "guests": sampleGuests(), "empty": {}} {
		text := report(t, "ctrf", r, all)
		if err := follows(t, "testdata/ctrf.schema.json", text); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if name == "sample" {
			golden(t, "ctrf.golden.json", text)
		}
		var back ctrfReport
		d := json.NewDecoder(bytes.NewReader([]byte(text)))
		d.DisallowUnknownFields()
		if err := d.Decode(&back); err != nil {
			t.Fatal(err)
		}
		s, c := back.Results.Summary, r.Count()
		faults := len(r.faults())
		if s.Tests != c.Total()+faults || s.Passed != c.Pass || s.Failed != c.Fail+c.Error+c.XPass+c.Flaky+faults ||
			s.Skipped != c.Skip || s.Pending != c.NotRun || s.Other != c.XFail+c.Blocked || s.Flaky != c.Flaky {
			t.Errorf("%s: %+v of %v", name, s, c)
		}
	}
	for name, text := range map[string]string{
		"no version": `{"reportFormat": "CTRF", "results": {"tool": {"name": "x"}, "summary": {}, "tests": []}}`,
		"no summary": `{"reportFormat": "CTRF", "specVersion": "0.0.0", "results": {"tool": {"name": "x"}, "tests": []}}`,
	} {
		if err := follows(t, "testdata/ctrf.schema.json", text); err == nil {
			t.Errorf("%s: the schema accepts %s", name, text)
		}
	}
}
