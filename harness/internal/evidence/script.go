package evidence

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"

	"netnscheck/harness/scenario"
	"netnscheck/harness/term"
)

// prologue is the part of each script that makes the namespaces and defines play.
//
//go:embed prologue.sh
var prologue string

// preamble says what each script does, and what it cannot.
//
//go:embed preamble.sh
var preamble string

// ScriptText is a script for a POSIX shell that plays the commands in these lines of a scenario in namespaces of its
// own. Only words of the scenario are in it. title names the case. It is an error if there is no command in a line.
func ScriptText(sc *scenario.Scenario, id, title string, lines []int) (string, error) {
	driver, section := about(sc, id)
	var b strings.Builder
	b.WriteString("#!/bin/sh\n")
	comment := func(format string, args ...any) {
		fmt.Fprintf(&b, "# %s\n", term.OneLine(fmt.Sprintf(format, args...)))
	}
	comment("The commands that lead to the failure of %s,", id)
	comment("%s", title)
	b.WriteString(preamble)
	if driver != scenario.IPRoute2Driver {
		comment("The case was played by the driver %s. Here the programs run that the commands name.", driver)
	}
	if section != nil && len(section.Checks) > 0 {
		b.WriteString("#\n# The checks of the section:\n")
		for _, c := range section.Checks {
			comment("  line %d: %s", c.Line, c.Text)
		}
	}
	b.WriteString("\n" + prologue)
	if err := hostCommands(&b, sc); err != nil {
		return "", err
	}
	if err := played(&b, sc, lines); err != nil {
		return "", err
	}
	b.WriteString("\nexit $wrong\n")
	return b.String(), nil
}

// about are the driver and the section of a case.
func about(sc *scenario.Scenario, id string) (driver string, s *scenario.Section) {
	for _, driver := range scenario.DriverNames() {
		for _, c := range sc.Cases(driver) {
			if c.ID == id {
				return driver, c.Section
			}
		}
	}
	return "", nil
}

// hostCommands make the interfaces of the host, as internal/uplink does: each is one end of a cable to a namespace
// without a name, which has the addresses of the gateways.
func hostCommands(b *strings.Builder, sc *scenario.Scenario) error {
	if slices.Contains(sc.Requires, "etc-netns") {
		b.WriteString("\n# The commands write to /etc, of which they get a copy.\n" +
			"mkdir /run/etc\ncp -r /etc/. /run/etc 2>/dev/null\nmount --bind /run/etc /etc || exit 2\n")
	}
	if len(sc.Host.Interfaces) == 0 {
		return nil
	}
	gateways, err := sc.Host.Gateways()
	if err != nil {
		return err
	}
	b.WriteString("\n# What the host has before the first command. " +
		"Its interfaces lead to a namespace that loses its name.\n" +
		"ip netns add far\nexec 9</run/netns/far\n")
	for i, iface := range sc.Host.Interfaces {
		name := term.ShellWord(iface.Name)
		fmt.Fprintf(b, "ip link add %s type veth peer name far%d netns far\n", name, i)
		for _, p := range iface.Addresses {
			fmt.Fprintf(b, "ip addr add %s dev %s%s\n", p, name, nodad(p.Addr().Is6()))
		}
		fmt.Fprintf(b, "ip -n far link set far%d up\nip link set %s up\n", i, name)
		for _, p := range gateways[iface.Name] {
			fmt.Fprintf(b, "ip -n far addr add %s dev far%d%s\n", p, i, nodad(p.Addr().Is6()))
		}
	}
	b.WriteString("ip netns del far\n")
	for _, r := range sc.Host.Routes {
		words, err := scenario.Words(r.Text)
		if err != nil {
			return fmt.Errorf("read the host route %q: %w", r.Text, err)
		}
		b.WriteString("ip route add" + shellWords(words) + "\n")
	}
	return nil
}

func nodad(six bool) string {
	if six {
		return " nodad"
	}
	return ""
}

// played plays the commands in these lines, with a heading for each section.
func played(b *strings.Builder, sc *scenario.Scenario, lines []int) error {
	at := map[int]scenario.Command{}
	for block := range sc.Blocks() {
		for _, cmd := range block.Commands {
			at[cmd.Line] = cmd
		}
	}
	last := ""
	for _, line := range lines {
		cmd, ok := at[line]
		if !ok {
			return fmt.Errorf("there is no command in line %d", line)
		}
		if title := sectionAt(sc, line); title != last {
			fmt.Fprintf(b, "\nheading %s\n", term.ShellWord(term.OneLine(title)))
			last = title
		}
		wanted := fmt.Sprint(cmd.Status.Code)
		if cmd.Status.Any {
			wanted = "'!'"
		}
		fmt.Fprintf(b, "play %s %s%s\n", wanted, term.ShellWord(term.OneLine(cmd.Text)), shellWords(cmd.Argv))
	}
	return nil
}

// sectionAt names the section in which a line is.
func sectionAt(sc *scenario.Scenario, line int) string {
	within := func(s *scenario.Section) bool { return s.Line <= line && line <= s.End }
	if sc.Setup != nil && within(sc.Setup) {
		return "set-up"
	}
	for i := range sc.Steps {
		step := &sc.Steps[i]
		for j := range step.Mistakes {
			if within(&step.Mistakes[j].Section) {
				return fmt.Sprintf("step %d, mistake: %s", i+1, step.Mistakes[j].Title)
			}
		}
		if within(&step.Section) {
			return fmt.Sprintf("step %d: %s", i+1, step.Title)
		}
	}
	return ""
}

func shellWords(words []string) string {
	var b strings.Builder
	for _, w := range words {
		b.WriteString(" " + shellWord(w))
	}
	return b.String()
}

// shellWord is a word in which nothing has an effect on the terminal of a reader.
func shellWord(word string) string {
	unsafe := func(r rune) bool { return r != '\n' && r != '\t' && !term.Safe(r) }
	if strings.IndexFunc(word, unsafe) < 0 {
		return term.ShellWord(word)
	}
	var octal strings.Builder
	for _, b := range []byte(word) {
		fmt.Fprintf(&octal, `\%03o`, b)
	}
	return `"$(printf '` + octal.String() + `')"`
}
