package fault

import (
	"fmt"
	"slices"
	"strings"

	"netnscheck/harness/scenario"
	"netnscheck/harness/scenario/operation"
	"netnscheck/harness/state"
	"netnscheck/harness/state/drawing"
	"netnscheck/harness/term"
)

// pageWidth is the greatest width of the map in columns: a terminal of 80 with a margin for Markdown's frame.
const pageWidth = 74

// Outline is what is known of a Page before the network is there: its id, its title and its one step, which is worth a
// point for each fault. It has the variables of the lesson, and no checks.
func Outline(sc *scenario.Scenario, faults int) *scenario.Scenario {
	what := "the fault"
	if faults > 1 {
		what = "the faults"
	}
	values := make([]string, 0, 2*len(sc.Vars))
	for _, v := range sc.Vars {
		values = append(values, "{{"+v.Name+"}}", v.Value)
	}
	title := strings.NewReplacer(values...).Replace(strings.TrimSpace(sc.Title))
	step := scenario.Step{Section: scenario.Section{Title: "Mend the network"}, Points: max(faults, 1), PointsLine: 1}
	return &scenario.Scenario{ID: sc.ID + "-fault", Title: fmt.Sprintf("Find %s: %s", what, title),
		Kind: scenario.Challenge, Level: sc.Level, Host: sc.Host, Requires: sc.Requires, Vars: sc.Vars, File: sc.File,
		Steps: []scenario.Step{step}}
}

// Page is the challenge as a scenario of one step: what the finished network is, in a map and in words, and what has to
// be true in the end. It is worth a point for each fault. A learner is not told what is broken, but by hints, bit by
// bit; the commands that mend it are the hidden solution. There is no set-up, since a finished network with faults is
// not what commands of a file lead to.
func Page(sc *scenario.Scenario, finished *state.State, goals []scenario.Check, faults []Fault) (*scenario.Scenario,
	error) {
	page, err := scenario.Parse(sc.File, []byte(markdown(sc, finished, goals, faults)))
	if err != nil {
		return nil, fmt.Errorf("write the page of a challenge of %s: %w", sc.ID, err)
	}
	if got := len(page.Steps[0].Checks); got != len(goals) {
		return nil, fmt.Errorf("write the page of a challenge of %s: it has %d checks, not %d", sc.ID, got, len(goals))
	}
	for i := range page.Steps[0].Checks {
		c := &page.Steps[0].Checks[i]
		c.Claim, c.Within, c.AtOnce = goals[i].Claim, goals[i].Within, goals[i].AtOnce
	}
	page.Level, page.Requires, page.Host = sc.Level, sc.Requires, sc.Host
	return page, nil
}

func markdown(sc *scenario.Scenario, finished *state.State, goals []scenario.Check, faults []Fault) string {
	var b strings.Builder
	say := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	there, it := "There is a fault in it now", "it"
	if len(faults) > 1 {
		there, it = fmt.Sprintf("There are %s faults in it now", counted(len(faults))), "them"
	}
	outline := Outline(sc, len(faults))
	step := outline.Steps[0]
	say("---\nid: %s\nkind: challenge\n---\n# %s\n", outline.ID, outline.Title)
	say("This is the network that the lesson `%s` ends with. It worked; then somebody changed something.\n"+
		"%s. Find %s, and make the network what it was:\n", sc.ID, there, it)
	shown := withoutLinkLocals(finished.WithoutFallback())
	say("```text\n%s```\n", drawing.Of(shown, drawing.Options{Width: pageWidth}).Text())
	for i := range shown.Namespaces {
		say("%s", describe(&shown.Namespaces[i]))
	}
	say("## %s\n\n<!-- points: %d -->\n", step.Title, step.Points)
	say("```console")
	for _, f := range faults {
		for _, c := range f.Mend {
			say("$ %s", commandLine(c))
		}
	}
	say("```\n\nAn answer to a ping alone proves nothing. All of this was true, and has to be true again:\n")
	for _, c := range goals {
		say("- [ ] %s", c.Text)
		if c.Fail.Text != "" {
			say("<!-- fail: %s -->", c.Fail.Text)
		}
	}
	var hints []string
	for _, f := range faults {
		hints = append(hints, fmt.Sprintf("Something is wrong in `%s`.", f.Netns),
			fmt.Sprintf("`harness explain %s` is about what is wrong in `%s`.", f.Name, f.Netns))
	}
	for i, hint := range hints {
		if !slices.Contains(hints[:i], hint) {
			say("\n> [!TIP]\n> %s", hint)
		}
	}
	return b.String()
}

// protoLinkLocal is IFAPROT_KERNEL_LL in linux/if_addr.h.
const protoLinkLocal = 3

// commandLine is an operation as it is typed.
func commandLine(c operation.Command) string {
	words := c.Argv()
	for i, word := range words {
		words[i] = term.ShellWord(word)
	}
	return strings.Join(words, " ")
}

func counted(n int) string {
	return []string{"no", "one", "two", "three", "four", "five"}[n]
}

// withoutLinkLocals leaves out what the kernel makes of the MAC addresses that it chose.
func withoutLinkLocals(s *state.State) *state.State {
	own := clone(s)
	for i := range own.Namespaces {
		for j := range own.Namespaces[i].Links {
			l := &own.Namespaces[i].Links[j]
			l.Addresses = slices.DeleteFunc(l.Addresses, func(a state.Address) bool {
				return l.MACRandom && (a.Prefix.Addr() == state.LinkLocal(l.MAC) || a.Proto == protoLinkLocal)
			})
		}
	}
	return own
}

// describe is what a namespace has, as a list.
func describe(n *state.Namespace) string {
	lines := []string{fmt.Sprintf("**`%s`**\n", n.Name)}
	for _, l := range n.Links {
		if l.Kind != "loopback" || !l.Up {
			lines = append(lines, "- "+describeLink(l))
		}
	}
	for _, r := range n.Routes {
		if r.Proto != "kernel" && r.Table != state.TableLocal {
			lines = append(lines, fmt.Sprintf("- the route `%s`", strings.TrimSpace(state.RouteText(r))))
		}
	}
	for _, r := range n.Rules {
		if r.Protocol != "kernel" && r.Priority != 0 && r.Priority < 32766 {
			lines = append(lines, fmt.Sprintf("- the rule `%s`", state.RuleText(r)))
		}
	}
	for _, e := range n.Neighbours {
		if e.State == "permanent" {
			lines = append(lines, fmt.Sprintf("- the permanent neighbour `%s`", state.NeighbourText(e)))
		}
	}
	if sysctlOf(n, forwarding4) == "1" {
		lines = append(lines, "- it forwards IPv4")
	}
	if sysctlOf(n, forwarding6) == "1" {
		lines = append(lines, "- it forwards IPv6")
	}
	for _, t := range n.Filters {
		for _, c := range t.Chains {
			lines = append(lines, describeChain(t, c))
		}
	}
	if len(lines) == 1 {
		lines = append(lines, "- nothing but its loopback")
	}
	return strings.Join(lines, "\n") + "\n"
}

func describeChain(t state.FilterTable, c state.FilterChain) string {
	line := fmt.Sprintf("- the chain `%s %s %s`", t.Family, t.Name, c.Name)
	if c.Hook != "" {
		line += fmt.Sprintf(" at the hook `%s`, policy `%s`", c.Hook, c.Policy)
	}
	var rules []string
	for i, r := range c.Rules {
		if i == 0 || r.Handle != c.Rules[i-1].Handle {
			rules = append(rules, "\n  - `"+r.Text+"`")
		}
	}
	return line + strings.Join(rules, "")
}

func describeLink(l state.Link) string {
	kind := l.Kind
	if kind == "" {
		kind = "device"
	}
	parts := []string{fmt.Sprintf("`%s`, a %s", l.Name, kind)}
	if l.Peer != nil && l.Peer.Name != "" {
		end := "on"
		if l.Kind == "veth" {
			end = "the other end is"
		}
		parts = append(parts, fmt.Sprintf("%s `%s` in `%s`", end, l.Peer.Name, l.Peer.Netns))
	}
	if l.Master != "" {
		parts = append(parts, fmt.Sprintf("in `%s`", l.Master))
	}
	for _, a := range l.Addresses {
		parts = append(parts, fmt.Sprintf("`%s`", a.Prefix))
	}
	if !l.MACRandom && l.Kind != "loopback" && l.MAC != "" {
		parts = append(parts, fmt.Sprintf("`%s`", l.MAC))
	}
	if !l.Up {
		parts = append(parts, "down")
	}
	if l.MTU != 1500 && l.Kind != "loopback" {
		parts = append(parts, fmt.Sprintf("MTU %d", l.MTU))
	}
	return strings.Join(parts, ", ")
}
