package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"netnscheck/harness/lab"
	"netnscheck/harness/scenario"
	"netnscheck/scenarios"
)

// TestListOfCases: the list has each case once; that it is up to date is tested with the other documents. A case that
// is renamed or dropped changes it.
func TestListOfCases(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root, listFile))
	if err != nil {
		t.Fatal(err)
	}
	var list []listed
	if err := json.Unmarshal(text, &list); err != nil {
		t.Fatal(err)
	}
	all, err := scenarios.All()
	if err != nil {
		t.Fatal(err)
	}
	want, seen := 0, map[string]bool{}
	for _, sc := range all {
		for _, step := range sc.Steps {
			want += (1 + len(step.Mistakes)) * len(lab.DriverNames())
		}
	}
	for _, c := range list {
		if seen[c.ID] || c.Title == "" {
			t.Errorf("%+v is listed twice, or has no title", c)
		}
		seen[c.ID] = true
	}
	if len(list) != want {
		t.Errorf("%d cases are listed, and there are %d", len(list), want)
	}
	sc := *all[0]
	sc.Steps = slices.Clone(sc.Steps)
	sc.Steps[0].Title = "Renamed"
	all = append([]*scenario.Scenario{&sc}, all[1:]...)
	renamed, err := listText(all)
	if err != nil || renamed == string(text) {
		t.Errorf("a case was renamed, and the list is the same; %v", err)
	}
	sc.Steps = sc.Steps[1:]
	if dropped, err := listText(all); err != nil || len(dropped) >= len(renamed) {
		t.Errorf("a step was dropped, and the list is as long; %v", err)
	}
}
