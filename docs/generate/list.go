package main

import (
	"bytes"
	"encoding/json"
	"fmt"

	"netnscheck/harness/lab"
	"netnscheck/harness/scenario"
)

// listFile lists every case of the catalogue, so that a change shows which cases it drops or renames.
const listFile = "scenarios/catalogue.json"

// listed is a case: a step or a mistake, played with one driver.
type listed struct {
	ID       string `json:"id"`
	Scenario string `json:"scenario"`
	Driver   string `json:"driver"`
	Step     int    `json:"step"`
	Mistake  int    `json:"mistake,omitempty"`
	Title    string `json:"title"`
}

// listText is the list as a JSON array with a case on each line, in the order of the course.
func listText(all []*scenario.Scenario) (string, error) {
	var b bytes.Buffer
	separator := "[\n"
	for _, sc := range all {
		for _, driver := range lab.DriverNames() {
			for _, c := range sc.Cases(driver) {
				line, err := encode(listed{c.ID, sc.ID, driver, c.Step, c.Mistake, c.Name})
				if err != nil {
					return "", fmt.Errorf("list the case %s: %w", c.ID, err)
				}
				b.WriteString(separator)
				b.Write(line)
				separator = ",\n"
			}
		}
	}
	b.WriteString("\n]\n")
	return b.String(), nil
}

// encode is JSON on one line, with <, > and & as they are.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return bytes.TrimRight(b.Bytes(), "\n"), err
}
