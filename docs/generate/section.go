package main

import (
	"regexp"
	"strings"

	"netnscheck/harness/scenario"
)

// section is a step or a mistake, and what its prose says for the documents.
type section struct {
	*scenario.Section
	file    string
	step    string // its own title, or that of the step at which it is a mistake
	mistake bool
	// fix are the blocks that lead out of a mistake.
	fix     []scenario.Block
	sources string
	cases   []string
}

// page is a scenario, its sections in order, and what stands above the first of them.
type page struct {
	*scenario.Scenario
	sources  string
	sections []section
}

// caseMark is how a section says which measured failure modes it encodes: <!-- case: half-up, half-up-remote -->
var caseMark = regexp.MustCompile(`^<!-- case: ([a-z0-9, -]+) -->$`)

const sourcesMark = "Sources: "

func pageOf(sc *scenario.Scenario) page {
	p := page{Scenario: sc}
	for i := range sc.Steps {
		step := &sc.Steps[i]
		p.sections = append(p.sections, section{Section: &step.Section, file: sc.File, step: step.Title})
		for j := range step.Mistakes {
			m := &step.Mistakes[j]
			p.sections = append(p.sections, section{Section: &m.Section, file: sc.File, step: step.Title, mistake: true,
				fix: m.Fix})
		}
	}
	lines := strings.Split(strings.ReplaceAll(sc.Source, "\r\n", "\n"), "\n")
	for i, line := range lines {
		s := p.at(i + 1)
		if rest, ok := strings.CutPrefix(line, sourcesMark); ok {
			sources := paragraph(rest, lines[i+1:])
			if s == nil {
				p.sources = sources
			} else {
				s.sources = sources
			}
		}
		if mark := caseMark.FindStringSubmatch(line); mark != nil && s != nil {
			for _, id := range strings.Split(mark[1], ",") {
				s.cases = append(s.cases, strings.TrimSpace(id))
			}
		}
	}
	return p
}

// at is the section in which a line lies, nil above the first one.
func (p *page) at(line int) *section {
	var found *section
	for i := range p.sections {
		if p.sections[i].Line <= line {
			found = &p.sections[i]
		}
	}
	return found
}

// paragraph is a text that goes on until the next empty line, on one line.
func paragraph(first string, rest []string) string {
	text := strings.TrimSpace(first)
	for _, line := range rest {
		if line = strings.TrimSpace(line); line == "" {
			break
		}
		text += " " + line
	}
	return strings.TrimSuffix(text, ".")
}

// blocks are those of the section and of its fix.
func (s *section) blocks() []scenario.Block {
	return append(append([]scenario.Block{}, s.Blocks...), s.fix...)
}

// name is how the section is called in a table.
func (s *section) name() string {
	if s.mistake {
		return "Mistake: " + s.Title
	}
	return "**" + s.Title + "**"
}

// cell is a text as it may stand in a cell of a Markdown table.
func cell(text string) string { return strings.ReplaceAll(text, "|", `\|`) }
