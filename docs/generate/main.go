// Command generate writes the documents made from the catalogue (docs/catalogue.md, docs/drivers.md, docs/cases.md, and
// scenarios/catalogue.json) and the tables of docs/format.md, which are made from the code. `make docs` runs it in the
// root of the repository; with -cases it only prints where each measured failure mode is encoded (`make coverage`). No
// package imports it, and it never runs a scenario.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"

	"netnscheck/scenarios"
)

func main() {
	cases := flag.Bool("cases", false, "print where each measured failure mode is encoded")
	flag.Parse()
	if err := run(".", *cases); err != nil {
		fmt.Fprintln(os.Stderr, "generate:", err)
		os.Exit(1)
	}
}

func run(root string, casesOnly bool) error {
	if casesOnly {
		c, err := readCoverage(root)
		if err != nil {
			return err
		}
		c.print(os.Stdout)
		return c.complete()
	}
	documents, err := documents(root)
	if err != nil {
		return err
	}
	for _, d := range documents {
		if err := os.WriteFile(filepath.Join(root, d.path), []byte(d.text), 0o644); err != nil {
			return fmt.Errorf("write %s: %w", d.path, err)
		}
		fmt.Println(d.path)
	}
	return nil
}

// document is a generated file.
type document struct{ path, text string }

// documents are all generated files, up to date.
func documents(root string) ([]document, error) {
	all, err := scenarios.All()
	if err != nil {
		return nil, err
	}
	coverage, err := readCoverage(root)
	if err != nil {
		return nil, err
	}
	drivers, err := driversText(all)
	if err != nil {
		return nil, err
	}
	format, err := formatText(root)
	if err != nil {
		return nil, err
	}
	list, err := listText(all)
	if err != nil {
		return nil, err
	}
	return []document{
		{listFile, list},
		{"docs/catalogue.md", catalogueText(all)},
		{"docs/drivers.md", drivers},
		{"docs/cases.md", coverage.text()},
		{formatFile, format},
	}, nil
}

// generated is the first line of each document.
const generated = "<!-- Made by `make docs`. Change the scenarios, not this file. -->\n"
