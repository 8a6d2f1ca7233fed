package scenario

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"netnscheck/harness/nearest"
)

// The patterns of what only looks like an element, and what is said about it.

const (
	proseComment = "<!-- prose -->"
	orProse      = "; what is prose has " + proseComment + " on the line before"
	strayCommand = "a line that begins with \"$ \" is a command in a console block only: expected it between " +
		"```console " +
		"and ```" + orProse
)

var (
	// nearBox is a line that begins with a box, behind whatever a keyboard or an editor makes of a list marker. A link
	// is none.
	nearBox = regexp.MustCompile(`^(?:(?:\\?[-*+•·◦‣–—―‒‐‑−]|\\?[0-9]{1,9}\\?[.)]|\\?>)[ \t\x{a0}]*)*` +
		`\\?\[(?:[ \t\x{a0}]|&nbsp;)*([xX✓✔]?)(?:[ \t\x{a0}]|&nbsp;)*\\?\]((?:[^(\[].*)?)$`)
	// nearItem is the text of a list item with another mark in the box.
	nearItem = regexp.MustCompile(`^\[([^\w\s])\]((?:[^(\[].*)?)$`)
	// nearFence is the first line of a block with too few marks.
	nearFence = regexp.MustCompile("^(?:``?|~~?)[ \t]*[{.]*console[^`~]*$")
	// nearComment is a comment of the language that HTML takes for text.
	nearComment = regexp.MustCompile(`^<[ \t]*!?[ \t]*[-–—]+[ \t]*(prose|fail|points)\b`)
	// command is a command of a transcript.
	command = regexp.MustCompile(`^\\?\$[ \t]+\S`)
)

func isCommandLine(text string) bool { return command.MatchString(text) }

// strayLine says what a line of a text or of indented code was meant to be: a check, or a command.
func (d *document) strayLine(line int, text string, in place) (stray astray, isStray bool) {
	switch {
	case nearBox.MatchString(text):
		return d.strayCheck(line, text, in), true
	case isCommandLine(text) && !in.alert:
		return astray{line, strayCommand}, true
	}
	return astray{}, false
}

// strayCheck says how the check that a line was meant to be is written.
func (d *document) strayCheck(line int, text string, in place) astray {
	m := nearBox.FindStringSubmatch(text)
	if m == nil {
		m = nearItem.FindStringSubmatch(text)
	}
	box, sentence := "- [ ]", strings.TrimSpace(strings.TrimLeft(m[2], ":\u00a0"))
	if m[1] != "" && strings.Contains("xX✓✔", m[1]) {
		box = "- [x]"
	}
	if sentence == "" {
		sentence = "…"
	}
	where := ""
	if !in.top() {
		where = ", not in " + in.name()
	}
	return astray{line, "a check is written “" + box + " " + sentence + "” at the start of its line" + where + orProse}
}

// nearConsole is what is wrong with the first line of a block that was probably meant as a console block, or "".
func nearConsole(f fence) string {
	words := strings.Fields(f.info)
	if isConsole(f) {
		return ""
	}
	for i, word := range words {
		word = strings.TrimFunc(strings.SplitN(word, ",", 2)[0], func(r rune) bool { return !unicode.IsLetter(r) })
		if near, ok := nearest.Word(word, []string{consoleWord}); ok && (i == 0 || near == strings.ToLower(word)) {
			return "a console block begins with ```console and a blank, found ```" + f.info + orProse
		}
	}
	for i, line := range f.lines {
		if isCommandLine(strings.TrimSpace(line)) {
			return fmt.Sprintf("the block has a command in line %d: expected ```console, found ```%s%s", f.line+i+1,
				f.info,
				orProse)
		}
	}
	return ""
}

// String is the heading as it is written.
func (h heading) String() string { return strings.Repeat("#", h.level) + " " + h.text }

const setupTitle = "Setup"

// mistake is the title of a mistake.
func (h heading) mistake() (title string, ok bool) {
	title, ok = strings.CutPrefix(h.text, "Mistake:")
	return strings.TrimSpace(title), ok && h.level == 3
}

// ours reports whether a heading is that of the set-up or of a mistake, or nearly so.
func (h heading) ours() bool {
	return h.level > 1 && nearlySetup(h.text) || nearlyMistake(h)
}

// wrong is what is wrong with a heading, or "".
func (h heading) wrong() string {
	_, isMistake := h.mistake()
	switch {
	case h.fault != "":
		return h.fault
	case h.text == "" && h.level <= 3:
		return "the heading has no text"
	case h.level > 1 && nearlySetup(h.text) && (h.level != 2 || h.text != setupTitle):
		return "the set-up is written ## Setup, found " + h.String() + orProse
	case nearlyMistake(h) && !isMistake:
		return "a mistake is written ### Mistake: …, found " + h.String() + orProse
	case h.underlined && frontMatterLine.MatchString(h.text):
		return "the front matter stands at the very top of the file, between two lines ---" + orProse
	}
	return ""
}

// nearlySetup reports whether a heading was probably meant to be that of the set-up: `Set up`, `SETUP: a network`.
func nearlySetup(text string) bool {
	if colon := strings.IndexAny(text, ":：–—"); colon >= 0 {
		text = text[:colon]
	}
	letters := strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, text)
	_, near := nearest.Word(letters, []string{"setup"})
	return near
}

var (
	// labelled is a heading that begins with some words and a colon or a dash.
	labelled = regexp.MustCompile(`^([^:：–—-]*\pL)[\s0-9]*[:：–—-]`)
	// mistakeFirst is a heading whose first word is that of a mistake.
	mistakeFirst = regexp.MustCompile(`(?i)^mistake(\s|$)`)
)

// nearlyMistake reports whether a heading was probably meant to be that of a mistake: `Mistkae: …`, `A mistake: …`,
// `Mistake …`.
func nearlyMistake(h heading) bool {
	if label := labelled.FindStringSubmatch(h.text); label != nil {
		words := strings.Fields(label[1])
		_, near := nearest.Word(words[len(words)-1], []string{"Mistake"})
		return near && len(words) <= 3
	}
	return h.level > 1 && mistakeFirst.MatchString(h.text)
}

var hashes = regexp.MustCompile(`^\\?(#{1,6})[ \t\x{a0}]*([^#\s\x{a0}].*)$`)

// headingLine reads a line of a paragraph, or of code, as a heading whose blank is missing, or that is indented too
// far. An issue's number (#12) is none, nor a tag after other words.
func headingLine(text string) (heading, bool) {
	m := hashes.FindStringSubmatch(text)
	if m == nil || len(m[1]) == 1 && !unicode.IsLetter([]rune(m[2])[0]) {
		return heading{}, false
	}
	return heading{level: len(m[1]), text: strings.TrimSpace(m[2])}, true
}

// alerts are the kinds of alerts; a tip is a hint, the others are prose.
var alerts = []string{tipKind, "NOTE", "IMPORTANT", "WARNING", "CAUTION"}

const tipKind = "TIP"

var (
	alertMark = regexp.MustCompile(`^\[!(\w+)\]$`)
	alertLike = regexp.MustCompile(`^\\?\[[ \t]*!?[ \t]*([\pL-]+)(?:[ \t]*\\?\])?`)
)

// alertKind is the kind of the alert that a line begins.
func alertKind(text string) (string, bool) {
	m := alertMark.FindStringSubmatch(text)
	if m == nil {
		return "", false
	}
	kind := strings.ToUpper(m[1])
	return kind, slices.Contains(alerts, kind)
}

// nearAlert is what is wrong with a line that was probably meant to begin an alert, or "". The right place is the head
// of a quote.
func nearAlert(text string, head, quoted bool) string {
	if _, ok := alertKind(text); ok && head {
		return ""
	}
	m := alertLike.FindStringSubmatch(text)
	if m == nil {
		return ""
	}
	kind, known := nearest.Word(m[1], alerts)
	marked := strings.Contains(m[0], "!")
	switch {
	case marked && known, !marked && strings.EqualFold(m[1], tipKind) && text == m[0]:
		if kind == "" {
			kind = tipKind
		}
		return "an alert is a quote whose first line is > [!" + kind + "] and nothing else, found " + text + orProse
	case marked && quoted:
		return fmt.Sprintf("unknown alert [!%s] (known: %s)%s", m[1], strings.Join(alerts, ", "), orProse)
	}
	return ""
}
