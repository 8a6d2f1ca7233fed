package main

import (
	"fmt"
	"slices"
	"strings"

	"netnscheck/harness/scenario"
)

// catalogueText says what every scenario, step and mistake proves and rests on.
func catalogueText(all []*scenario.Scenario) string {
	var b strings.Builder
	b.WriteString(generated)
	steps, mistakes, checks := 0, 0, 0
	for _, sc := range all {
		steps += len(sc.Steps)
		for i := range sc.Steps {
			checks += len(sc.Steps[i].Checks)
			mistakes += len(sc.Steps[i].Mistakes)
			for j := range sc.Steps[i].Mistakes {
				checks += len(sc.Steps[i].Mistakes[j].Checks)
			}
		}
	}
	fmt.Fprintf(&b, "# The catalogue\n\n%d scenarios with %d steps, %d mistakes and %d checks. Every check is false "+
		"before the commands of its section and true after them (`- [ ]`), or true before and after (`- [x]`). A "+
		"section without sources of its own rests on those of its scenario. *where*: a fact of the machines for which "+
		"that [condition](format.md#words-behind-console) holds; on others nothing is said about it.\n\n",
		len(all), steps, mistakes, checks)
	b.WriteString("| level | scenario | kind | steps | mistakes |\n|---:|---|---|---:|---:|\n")
	for _, sc := range all {
		count := 0
		for i := range sc.Steps {
			count += len(sc.Steps[i].Mistakes)
		}
		fmt.Fprintf(&b, "| %d | [%s](#%s) | %s | %d | %d |\n", sc.Level, cell(sc.Title), sc.ID, sc.Kind, len(sc.Steps),
			count)
	}
	for _, sc := range all {
		p := pageOf(sc)
		p.write(&b)
	}
	return b.String()
}

func (p *page) write(b *strings.Builder) {
	fmt.Fprintf(b, "\n<a id=%q></a>\n## %s\n\n[%s](../%s): %s, level %d", p.ID, p.Title, p.ID, p.File, p.Kind, p.Level)
	if len(p.Requires) > 0 {
		fmt.Fprintf(b, ", requires %s", strings.Join(p.Requires, ", "))
	}
	b.WriteString(".")
	if p.sources != "" {
		fmt.Fprintf(b, " Rests on %s.", p.sources)
	}
	b.WriteString("\n\n| section | what it proves | rests on |\n|---|---|---|\n")
	for i := range p.sections {
		s := &p.sections[i]
		fmt.Fprintf(b, "| %s | %s | %s |\n", cell(s.name()), cell(s.proves()), cell(s.sources))
	}
}

// proves lists the section's refused commands with their errno, and its checks, each where it holds.
func (s *section) proves() string {
	always := s.conditions()
	var parts []string
	for _, b := range s.Blocks {
		if b.Errno != "" {
			own := slices.DeleteFunc(slices.Clone(b.Conditions), func(c scenario.Condition) bool {
				return slices.Contains(always, c)
			})
			parts = append(parts, fmt.Sprintf("`%s` is refused with %s%s", b.Commands[0].Text, b.Errno, where(own)))
		}
	}
	for _, c := range s.Checks {
		parts = append(parts, c.Text)
	}
	text := strings.Join(parts, "; ")
	if len(always) > 0 {
		return strings.TrimSpace(where(always)) + ": " + text
	}
	return text
}
