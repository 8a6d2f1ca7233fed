package answer

import (
	"slices"
	"strings"

	"netnscheck/harness/claim"
	"netnscheck/harness/scenario"
	"netnscheck/harness/sitting"
	"netnscheck/harness/term"
)

// code is a word of the learner, or of the sandbox, as a code span: printable, in one line, and cut.
func code(word string) string {
	const longest = 60 // columns
	return claim.Span(term.Cut(term.OneLine(word), longest, "…"))
}

// codes are several words: `a`, `b` and `c`.
func codes(words []string) string {
	const most = 5
	var all []string
	for _, w := range words[:min(len(words), most)] {
		all = append(all, code(w))
	}
	if len(words) > most {
		return strings.Join(all, ", ") + " and others"
	}
	if len(all) > 1 {
		return strings.Join(all[:len(all)-1], ", ") + " and " + all[len(all)-1]
	}
	return strings.Join(all, "")
}

// in is a link in a namespace.
func in(link, netns string) string { return code(link) + " in " + code(netns) }

// about is the first open check that names one of some words, else the first open check.
func (s *search) about(names ...string) int {
	for _, i := range s.open {
		for _, name := range names {
			if name != "" && strings.Contains(s.step.Checks[i].Text, claim.Span(name)) {
				return i
			}
		}
	}
	return s.open[0]
}

// check is the author's word for the first open check, else what the check found.
func (s *search) check() *sitting.Answer {
	if !s.due() {
		return nil
	}
	i := s.open[0]
	c := s.step.Checks[i]
	var found string
	if i < len(s.Verdicts) && s.Verdicts[i].Outcome == scenario.Fail {
		found = s.Verdicts[i].Found
	} else if now := s.judged(c.Claim); now != nil {
		found = c.Claim.Judge(claim.Evidence{State: now}).Found
	}
	a := &sitting.Answer{Kind: Check, Check: i, Title: "Not yet: " + c.Text}
	if found != "" {
		a.Text = "Found: " + plain(found)
	}
	if word := strings.TrimSpace(c.Fail.Text); word != "" {
		a.Title, a.Text = strings.Join(strings.Fields(word), " "), strings.TrimSpace("Not yet: "+c.Text+".\n\n"+a.Text)
	}
	return a
}

// plain is a text of the sandbox in Markdown that means itself.
func plain(text string) string {
	const longest = 400 // columns
	text = term.Cut(term.OneLine(text), longest, "…")
	var b strings.Builder
	for _, r := range text {
		if slices.Contains([]rune("\\`*_[]<>&#!|~"), r) {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return b.String()
}
