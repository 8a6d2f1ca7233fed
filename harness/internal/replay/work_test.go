package replay

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"netnscheck/harness/grade"
	"netnscheck/harness/scenario"
	"netnscheck/harness/sitting/progress"
)

func TestOfScript(t *testing.T) {
	got, shell := OfScript("\ufeff#!/usr/bin/env bash\r\n\r\n# Step 2: the cable\r\nfor i in 1; do\r\n  x\r\ndone\r\n" +
		"#step 10\nlast")
	want := []Command{
		{Text: "#!/usr/bin/env bash\n", Where: "line 1"}, {Text: "\n", Where: "line 2"},
		{Text: "# Step 2: the cable\n", Where: "line 3", Step: 2}, {Text: "for i in 1; do\n", Where: "line 4", Step: 2},
		{Text: "  x\n", Where: "line 5", Step: 2}, {Text: "done\n", Where: "line 6", Step: 2},
		{Text: "#step 10\n", Where: "line 7", Step: 10}, {Text: "last\n", Where: "line 8", Step: 10},
	}
	if diff := cmp.Diff(want, got); diff != "" || shell != "bash" {
		t.Errorf("%s\n%s", shell, diff)
	}
	for text, want := range map[string]string{
		"": "sh", "#!/bin/sh\n": "sh", "x # bash\n": "sh", "#!/bin/bash -e\n": "bash",
	} {
		if _, shell := OfScript(text); shell != want {
			t.Errorf("%q: %s", text, shell)
		}
	}
}

// FuzzOfScript: no byte of a script is lost, and no line is empty.
func FuzzOfScript(f *testing.F) {
	f.Add("a\n\n# step 1\nb")
	f.Add("\r\n\r")
	f.Fuzz(func(t *testing.T, text string) {
		commands, _ := OfScript(text)
		var all strings.Builder
		for _, c := range commands {
			if c.Text == "" || c.Step < 0 {
				t.Errorf("%+v", c)
			}
			all.WriteString(c.Text)
		}
		want := strings.TrimPrefix(strings.ReplaceAll(text, "\r\n", "\n"), "\ufeff")
		if strings.TrimSuffix(all.String(), "\n") != strings.TrimSuffix(want, "\n") {
			t.Errorf("%q became %q", text, all.String())
		}
	})
}

func TestOfProgress(t *testing.T) {
	f := &progress.File{Steps: make([]progress.Step, 2), Log: []progress.Entry{
		{Step: 1, Line: "gone"}, {Step: 1, Do: progress.Reset}, {Step: 1, Line: "one", Terminal: 2, Netns: "a"},
		{Step: 1, Line: " lab next "}, {Step: 1, Line: "lab; two", Status: 130}, {Step: 2, Do: progress.Solve},
		{Step: 2, Do: progress.Hint}, {Step: 3, Line: "three", Status: progress.NoStatus}, {Step: 3, Line: " "},
	}}
	got, err := OfProgress(f)
	want := []Command{
		{Text: "one", Where: "command 1", Step: 1, Terminal: 2, Netns: "a"},
		{Text: "lab; two", Where: "command 3", Step: 1, Interrupted: true}, {Where: "command 4", Step: 2, Solve: true},
		{Text: "three", Where: "command 5", Step: 3, Interrupted: true},
	}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v\n%s", err, diff)
	}
	f.Log[2].Cut = true
	if _, err := OfProgress(f); err == nil || !strings.HasPrefix(err.Error(), "command 1 is too long") {
		t.Errorf("a cut line: %v", err)
	}
	if _, err := OfProgress(&progress.File{Dropped: 3}); err == nil {
		t.Error("a log that is not whole was taken")
	}
}

// TestAnswersAreNotBelieved: an answer that cannot be true is refused, and its texts are bounded.
func TestAnswersAreNotBelieved(t *testing.T) {
	sc := &scenario.Scenario{Steps: make([]scenario.Step, 2)}
	first := func(step int) *grade.Open { return &grade.Open{Step: step} }
	for _, c := range []struct {
		name string
		a    Answer
		ok   bool
	}{
		{"all done", Answer{Passed: []bool{true, true}}, true},
		{"one open", Answer{Passed: []bool{false, true}, First: first(1)}, true},
		{"another number", Answer{Passed: []bool{true}}, false},
		{"a cause for nothing", Answer{Passed: []bool{true, true}, First: first(1)}, false},
		{"no cause", Answer{Passed: []bool{true, false}}, false},
		{"the cause of another step", Answer{Passed: []bool{true, false}, First: first(1)}, false},
		{"no step", Answer{Passed: []bool{true, false}, First: first(3)}, false},
	} {
		if _, err := c.a.Result(sc); (err == nil) != c.ok {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	long := strings.Repeat("x", 1<<20)
	r, err := Answer{Passed: []bool{false, false}, Trouble: long, Said: long, First: &grade.Open{Step: 1, Check: long,
		Found: long, Note: long, Cause: strings.Split(strings.Repeat("y\n", 999), "\n")}}.Result(sc)
	if err != nil || len(r.Trouble)+len(r.Said)+len(r.First.Check+r.First.Found+r.First.Note) > 8<<10 ||
		len(r.First.Cause) > maxLines {
		t.Errorf("%v: %d bytes", err, len(r.Trouble)+len(r.Said))
	}
}
