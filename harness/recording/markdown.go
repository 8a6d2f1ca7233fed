package recording

import (
	"fmt"
	"slices"
	"strings"

	"netnscheck/harness/scenario"
	"netnscheck/harness/sitting/page"
)

// Markdown is the scenario.
func (r *Recording) Markdown() string {
	var b strings.Builder
	r.frontMatter(&b)
	fmt.Fprintf(&b, "# %s\n", r.Title)
	known := r.allCommands()
	r.setup(&b, known)
	for _, s := range r.Steps {
		fmt.Fprintf(&b, "\n## %s\n", s.Title)
		section(&b, s.Section, known)
		for _, m := range s.Mistakes {
			fmt.Fprintf(&b, "\n### Mistake: %s\n", m.Title)
			section(&b, m.Section, known)
			console(&b, "console fix", m.Fix, known)
		}
	}
	return b.String()
}

func (r *Recording) frontMatter(b *strings.Builder) {
	requires := slices.Clone(r.Requires)
	var host scenario.Host
	if r.From != nil {
		requires = append(slices.Clone(r.From.Requires), requires...)
		host = r.From.Host
	}
	if len(requires)+len(host.Interfaces)+len(host.Routes) == 0 {
		return
	}
	b.WriteString("---\n")
	if len(requires) > 0 {
		slices.Sort(requires)
		fmt.Fprintf(b, "requires: [%s]\n", strings.Join(slices.Compact(requires), ", "))
	}
	if len(host.Interfaces)+len(host.Routes) > 0 {
		b.WriteString("host:\n")
	}
	for i, link := range host.Interfaces {
		if i == 0 {
			b.WriteString("  interfaces:\n")
		}
		addresses := make([]string, len(link.Addresses))
		for j, a := range link.Addresses {
			addresses[j] = fmt.Sprintf("%q", a)
		}
		fmt.Fprintf(b, "    %q: [%s]\n", link.Name, strings.Join(addresses, ", "))
	}
	for i, route := range host.Routes {
		if i == 0 {
			b.WriteString("  routes:\n")
		}
		fmt.Fprintf(b, "    - %q\n", route.Text)
	}
	b.WriteString("---\n")
}

// setup writes the set-up of From as it stands there, with the values of its variables, and what was added.
func (r *Recording) setup(b *strings.Builder, known string) {
	var given string
	if r.From != nil && r.From.Setup != nil {
		lines := strings.Split(strings.ReplaceAll(r.From.Source, "\r\n", "\n"), "\n")
		s := r.From.Setup
		given = page.WithValues(r.From, strings.Trim(strings.Join(lines[s.Line:min(s.End, len(lines))], "\n"), "\n"))
	}
	if given == "" && len(r.Setup) == 0 {
		return
	}
	b.WriteString("\n## Setup\n")
	if given != "" {
		b.WriteString("\n" + given + "\n")
	}
	console(b, "console", r.Setup, known)
}

func (r *Recording) allCommands() string {
	var all []string
	add := func(commands []Command) {
		for _, c := range commands {
			all = append(all, c.Text)
		}
	}
	add(r.Setup)
	for _, s := range r.Steps {
		add(s.Commands)
		for _, m := range s.Mistakes {
			add(m.Commands)
			add(m.Fix)
		}
	}
	return strings.Join(all, "\n")
}

func section(b *strings.Builder, s Section, known string) {
	console(b, "console", s.Commands, known)
	for i, c := range s.Checks {
		if i == 0 {
			b.WriteByte('\n')
		}
		box := "[ ]"
		if c.Before {
			box = "[x]"
		}
		fmt.Fprintf(b, "- %s %s\n", box, c.Sentence)
	}
}

// console writes commands as console blocks: one, but for commands that were refused and changed something.
func console(b *strings.Builder, info string, commands []Command, known string) {
	for len(commands) > 0 {
		n := slices.IndexFunc(commands, func(c Command) bool { return c.Partial != commands[0].Partial })
		if n < 0 {
			n = len(commands)
		}
		words := info
		if commands[0].Partial {
			words += " partial"
		}
		var lines []string
		for _, c := range commands[:n] {
			lines = append(lines, "$ "+c.Text)
			lines = append(lines, expected(c, known)...)
			if c.Status != 0 {
				lines = append(lines, fmt.Sprintf("[%d]", c.Status))
			}
		}
		text := strings.Join(lines, "\n")
		fence := "```"
		for strings.Contains(text, fence) {
			fence += "`"
		}
		fmt.Fprintf(b, "\n%s%s\n%s\n%s\n", fence, words, text, fence)
		commands = commands[n:]
	}
}
