package scenario

import (
	"cmp"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"unicode/utf8"

	"netnscheck/harness/claim"
	"netnscheck/harness/nearest"
)

// Parse parses a scenario. The file name is used in messages and, if the front matter has no id, as the id; the file is
// not read. The error is of type Problems: all that were found, in line order.
func Parse(file string, src []byte) (*Scenario, error) { return ParseWith(file, src, Values{}) }

// ParseWith is Parse with other values for variables than the defaults.
func ParseWith(file string, src []byte, values Values) (*Scenario, error) {
	sc, f := read(file, src, values)
	if err := f.err(); err != nil {
		return nil, err
	}
	return sc, nil
}

// read reads a scenario with whatever faults it has. The scenario is nil if the file is not text, or where its front
// matter ends is not clear.
func read(file string, src []byte, values Values) (*Scenario, *findings) {
	f := &findings{file: file}
	sc := &Scenario{
		ID: strings.TrimSuffix(path.Base(file), ".md"), IDLine: 1, Kind: Lesson, File: file, Source: string(src),
	}
	text, ok := decode(src, f)
	if !ok {
		return nil, f
	}
	yamlText, markdown := cutFrontMatter(text, f)
	if len(f.list) > 0 {
		return nil, f
	}
	front := &frontMatter{findings: f, sc: sc, offset: 1}
	front.read(yamlText)
	if len(f.list) == 0 && CheckID(sc.ID) != nil {
		f.add(1, "the file name is no id (%s): expected lower-case words joined by -, at most %d letters, in it or "+
			"as id in "+
			"the front matter", quoted(sc.ID), maxID)
	}
	setVariables(sc, values, f)
	b := &builder{findings: f, sc: sc, consoles: consoleReader{f, newVariables(sc.Vars)}}
	b.build(elements(markdown), strings.Count(strings.TrimSuffix(markdown, "\n"), "\n")+1)
	b.points()
	return sc, f
}

// decode converts line ends to \n and refuses a source that is not text, with one problem.
func decode(src []byte, f *findings) (string, bool) {
	text := strings.ReplaceAll(strings.TrimPrefix(string(src), "\ufeff"), "\r\n", "\n")
	if strings.HasPrefix(text, "\xff\xfe") || strings.HasPrefix(text, "\xfe\xff") {
		f.add(1, "the file is UTF-16: expected UTF-8")
		return "", false
	}
	first, bad, why := 0, 0, ""
	for i, line := range strings.Split(text, "\n") {
		switch {
		case !utf8.ValidString(line):
			first, bad, why = cmp.Or(first, i+1), bad+1, cmp.Or(why, "the line is not UTF-8")
		case strings.Contains(line, "\x00"):
			first, bad, why = cmp.Or(first, i+1), bad+1, cmp.Or(why, "the line contains a zero byte")
		}
	}
	if bad > 1 {
		why += fmt.Sprintf(", and %d more lines are no text", bad-1)
	}
	switch {
	case bad > 0:
		f.add(first, "%s", why)
	case strings.TrimSpace(text) == "":
		f.add(1, "the file is empty")
	case !strings.Contains(text, "\n") && strings.Contains(text, "\r"):
		f.add(1, "the lines end with carriage returns alone: expected line feeds")
	}
	return text, len(f.list) == 0
}

func setVariables(sc *Scenario, values Values, f *findings) {
	names := make([]string, len(sc.Vars))
	for i := range sc.Vars {
		v := &sc.Vars[i]
		names[i] = v.Name
		value, err := values.value(sc.ID, *v)
		if err != nil {
			f.add(v.Line, "set variable %s: %v", v.Name, err)
		}
		v.Value = value
	}
	for _, name := range slices.Sorted(maps.Keys(values.Set)) {
		if !slices.Contains(names, name) {
			f.add(1, "set variable %s: the front matter has no such variable%s", name, nearest.DidYouMean(name, names))
		}
	}
}

// builder puts the elements of the text into sections.
type builder struct {
	*findings
	sc       *Scenario
	consoles consoleReader
	titled   bool
	sections []*draft // those of level 2
	current  *draft   // the section being read; nil above the first

	// checkEnd is the last line of the last task-list item; judged is set if it became a check of the current section.
	checkEnd int
	judged   bool
}

// draft is a section while it is read. Whether it is a step is known only at its end.
type draft struct {
	Section
	kind     SectionKind
	points   Note
	fix      []Block
	undo     bool
	mistakes []*draft
}

// empty reports whether the section is only prose.
func (d *draft) empty() bool { return len(d.Blocks) == 0 && len(d.Checks) == 0 }

// build builds the scenario from the elements of a text with this many lines.
func (b *builder) build(all []any, lines int) {
	for _, e := range all {
		switch e := e.(type) {
		case heading:
			b.heading(e)
		case fence:
			b.fence(e)
		case task:
			b.task(e)
		case note:
			b.note(e)
		case astray:
			b.add(e.line, "%s", e.message)
		case tip:
			if b.current != nil {
				text := b.consoles.vars.replace(e.text, e.line, b.findings)
				b.current.Hints = append(b.current.Hints, Hint{Text: text, Line: e.line, End: e.end})
			}
		}
	}
	b.end(lines)
	if !b.titled {
		b.add(1, "the title is missing: expected a line # …")
	}
	for _, d := range b.sections {
		b.finish(d)
	}
	if len(b.sc.Steps) == 0 && len(b.list) == 0 {
		b.add(1, "the scenario has no step: expected a section ## … with commands and checks")
	}
}

func (b *builder) heading(h heading) {
	if fault := h.wrong(); fault != "" {
		b.add(h.line, "%s", fault)
		if h.fault == "" {
			b.beginWrong(h)
			return
		}
	}
	title, isMistake := h.mistake()
	switch {
	case h.level == 1 && b.titled:
		b.add(h.line, "a second title %q: expected one line # … (sections are ## …)", h.text)
	case h.level == 1:
		b.titled, b.sc.Title = true, h.text
	case h.level == 2:
		b.begin(StepSection, h.text, h.line)
		if h.text == setupTitle {
			b.current.kind = SetupSection
		}
		b.sections = append(b.sections, b.current)
	case h.level == 3 && isMistake:
		b.mistake(h.line, title)
	}
}

// begin starts a section and ends the one before.
func (b *builder) begin(kind SectionKind, title string, line int) {
	b.end(line - 1)
	b.current = &draft{kind: kind, Section: Section{Title: title, Line: line}}
}

// beginWrong begins a section of no scenario, below a heading that is nearly right, so that what stands in it is read.
func (b *builder) beginWrong(h heading) {
	switch {
	case nearlyMistake(h):
		b.begin(MistakeSection, h.text, h.line)
	case h.ours():
		b.begin(StepSection, h.text, h.line)
	}
}

func (b *builder) end(line int) {
	if b.current != nil {
		b.current.End = line
	}
}

func (b *builder) mistake(line int, title string) {
	if title == "" {
		b.add(line, "the mistake has no title: expected ### Mistake: …")
	}
	b.begin(MistakeSection, title, line)
	if len(b.sections) == 0 {
		b.add(line, "a mistake without a step: expected it below a section ## …")
		return
	}
	last := b.sections[len(b.sections)-1]
	last.mistakes = append(last.mistakes, b.current)
}

func (b *builder) fence(f fence) {
	if !f.closed {
		b.add(f.line, "the code block is not closed: expected a line of ``` or ~~~ as long as this one")
	}
	if !isConsole(f) {
		return
	}
	c := b.consoles.read(f)
	switch {
	case b.current == nil:
		b.add(f.line, "console block outside a section: expected it below a heading ## …")
	case c.fix && b.current.kind != MistakeSection:
		b.add(f.line, "console block: fix is for mistakes: expected it below a heading ### Mistake: …")
	case c.fix:
		b.current.fix = append(b.current.fix, c.Block)
		b.current.undo = b.current.undo || c.undo
	default:
		b.current.Blocks = append(b.current.Blocks, c.Block)
	}
}

func (b *builder) task(t task) {
	b.checkEnd, b.judged = t.end, false
	known := len(b.list)
	sentence := b.consoles.vars.replace(t.sentence, t.line, b.findings)
	if len(b.list) > known { // an unknown variable: the sentence cannot be parsed
		return
	}
	item, err := claim.ParseItem(sentence)
	switch {
	case b.current == nil:
		b.add(t.line, "check outside a section: expected it below a heading ## …")
	case b.current.kind == SetupSection:
		b.add(t.line, "the set-up has a check: it may only have commands")
	case err != nil:
		b.add(t.line, "%v", err)
	default:
		b.current.Checks = append(b.current.Checks, Check{Line: t.line, End: t.end, Text: item.Sentence,
			Before: t.done, Claim: item.Claim, Within: item.Within, AtOnce: item.AtOnce})
		b.judged = true
	}
}

// finish turns a section into a step or the set-up, or drops it if it is prose.
func (b *builder) finish(d *draft) {
	mistakes := make([]Mistake, 0, len(d.mistakes))
	for _, m := range d.mistakes {
		if m.empty() {
			b.add(m.Line, "the mistake has neither commands nor checks")
		}
		mistakes = append(mistakes, Mistake{Section: m.Section, Fix: m.fix, Undo: m.undo})
	}
	step := Step{Section: d.Section, Points: b.pointsOf(d), PointsLine: d.points.Line, Mistakes: mistakes}
	switch {
	case len(mistakes) > 0 && d.kind == SetupSection:
		b.add(mistakes[0].Line, "a mistake without a step: the set-up is not a step")
	case len(mistakes) > 0 && d.empty():
		b.add(mistakes[0].Line, "a mistake without a step: %q in line %d has neither commands nor checks", d.Title,
			d.Line)
	case d.kind == StepSection && !d.empty():
		b.sc.Steps = append(b.sc.Steps, step)
	case d.kind == SetupSection && b.sc.Setup != nil:
		b.add(d.Line, "a second set-up: the first is in line %d", b.sc.Setup.Line)
	case d.kind == SetupSection && len(d.Blocks) > 0:
		b.sc.Setup = &d.Section
	}
}
