package main

import (
	"regexp"
	"slices"
	"strings"

	"netnscheck/harness/scenario"
)

// section is a step or mistake, and what its prose says for the documents.
type section struct {
	*scenario.Section
	file    string
	step    string // its own title, or that of the mistake's step
	mistake bool
	// fix are the blocks that fix a mistake.
	fix     []scenario.Block
	sources string
	cases   []string
}

// page is a scenario with its sections in order; sources is the paragraph above the first of them.
type page struct {
	*scenario.Scenario
	sources  string
	sections []section
}

// caseMark is the comment that names a section's failure modes: <!-- case: half-up, half-up-remote -->
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

// at is the section with a line, nil above the first one.
func (p *page) at(line int) *section {
	var found *section
	for i := range p.sections {
		if p.sections[i].Line <= line {
			found = &p.sections[i]
		}
	}
	return found
}

// paragraph is the text up to the next empty line, as one line.
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

// blocks are the blocks of the section and of its fix.
func (s *section) blocks() []scenario.Block {
	return append(append([]scenario.Block{}, s.Blocks...), s.fix...)
}

// conditions are those that all blocks of the section have: elsewhere nothing of it is played.
func (s *section) conditions() (common []scenario.Condition) {
	if len(s.Blocks) == 0 {
		return nil
	}
	for _, c := range s.Blocks[0].Conditions {
		if !slices.ContainsFunc(s.Blocks, func(b scenario.Block) bool { return !slices.Contains(b.Conditions, c) }) {
			common = append(common, c)
		}
	}
	return common
}

// where says behind a fact on which machines it holds, "" if on all.
func where(conditions []scenario.Condition) string {
	var words []string
	for _, c := range conditions {
		words = append(words, "`"+c.String()+"`")
	}
	if len(words) == 0 {
		return ""
	}
	return " where " + strings.Join(words, " and ")
}

// name is the section's name in a table.
func (s *section) name() string {
	if s.mistake {
		return "Mistake: " + s.Title
	}
	return "**" + s.Title + "**"
}

// cell escapes a text for a cell of a Markdown table.
func cell(text string) string { return strings.ReplaceAll(text, "|", `\|`) }
