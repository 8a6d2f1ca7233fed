package scenario

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"netnscheck/harness/nearest"
	"netnscheck/harness/scenario/started"
)

// consoleWord is the first word of the info string of a console block.
const consoleWord = "console"

// BlockWord is a word that may follow `console` in the info string, and its meaning for the reference.
type BlockWord struct{ Word, Means string }

// BlockWords are all block words, in the order of the reference.
func BlockWords() []BlockWord {
	return []BlockWord{
		{IPRoute2Driver, "for the driver iproute2; several drivers may be named"},
		{BusyboxDriver, "for the driver busybox"},
		{NetlinkDriver, "for the driver netlink"},
		{"fix", "repairs the mistake in whose section it is"},
		{"fix undo", "leads from the mistake back to the start of its step; the step's own commands then run"},
		{"errno=NAME", "its one command is refused by the kernel with this errno, which the driver netlink compares"},
		{"partial", "a refused command in it may have had part of its effect"},
		{"kernel>=VERSION", "for these versions of the kernel only (also `<=`, `<`, `>` and `=`)"},
		{"iproute2>=VERSION", "for these versions of iproute2 only"},
		{"busybox>=VERSION", "for these versions of busybox only"},
		{"with=FEATURE", "only where this [feature](#features) is present; it is tried, whatever the versions are"},
		{"without=FEATURE", "only where this feature is absent"},
	}
}

func infoWords() (words []string) {
	for _, w := range BlockWords() {
		words = append(words, w.Word)
	}
	return words
}

// console is a console block before it is assigned to a section.
type console struct {
	Block
	fix, undo bool
}

// consoleReader reads console blocks; names are the variables and their values.
type consoleReader struct {
	*findings
	vars variables
}

func isConsole(f fence) bool {
	words := strings.Fields(f.info)
	return len(words) > 0 && words[0] == consoleWord
}

func (r *consoleReader) read(f fence) console {
	c := console{Block: Block{Line: f.line, End: f.line + len(f.lines) + 1}}
	for _, word := range strings.Fields(f.info)[1:] {
		r.infoWord(&c, word)
	}
	if c.undo && !c.fix {
		r.add(f.line, "console block: undo without fix: expected fix undo")
	}
	r.transcript(&c.Block, f)
	if c.Errno != "" && len(c.Commands) > 1 {
		r.add(f.line, "console block: errno= is for a block of a single command, found %d", len(c.Commands))
	}
	return c
}

var condition = regexp.MustCompile(`^([A-Za-z0-9_-]+)(>=|<=|==|=|>|<)(.*)$`)

// featureName is what the name of a feature looks like; which ones there are is known to those who try them.
var featureName = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)

var conditionVersion = regexp.MustCompile(`^[0-9]+(\.[0-9]+)*(-[A-Za-z0-9.+~]+)*$`)

// infoWord reads one word after `console`.
func (r *consoleReader) infoWord(c *console, word string) {
	errno, isErrno := strings.CutPrefix(word, "errno=")
	m := condition.FindStringSubmatch(word)
	switch {
	case slices.Contains(DriverNames(), word):
		c.Drivers = append(c.Drivers, word)
	case word == "fix":
		c.fix = true
	case word == "undo":
		c.undo = true
	case word == "partial":
		c.Partial = true
	case isErrno && c.Errno != "":
		r.add(c.Line, "console block: errno= is written twice")
	case isErrno && slices.Contains(errnoNames, errno):
		c.Errno = errno
	case isErrno:
		r.add(c.Line, "console block: unknown errno %q%s", errno, nearest.DidYouMean(errno, errnoNames))
	case m != nil && slices.Contains(versionSubjects, m[1]):
		if m[2] == "==" || !conditionVersion.MatchString(m[3]) {
			r.add(c.Line, "console block: bad condition %q: expected one such as kernel>=6.2 (with >=, <=, <, > or =)",
				word)
			return
		}
		c.Conditions = append(c.Conditions, Condition{Subject: m[1], Op: m[2], Value: m[3]})
	case m != nil && slices.Contains(featureSubjects, m[1]):
		if m[2] != "=" || !featureName.MatchString(m[3]) {
			r.add(c.Line, "console block: bad condition %q: expected the name of a feature, such as with=veth", word)
			return
		}
		c.Conditions = append(c.Conditions, Condition{Subject: m[1], Op: m[2], Value: m[3]})
	default:
		r.add(c.Line, "console block: unknown word %q%s (known: %s)", word, suggestInfoWord(word, m),
			strings.Join(infoWords(), ", "))
	}
}

// suggestInfoWord suggests the nearest word, for a condition by the part before the operator.
func suggestInfoWord(word string, condition []string) string {
	if condition == nil {
		return nearest.DidYouMean(word, append(DriverNames(), "fix", "undo", "partial"))
	}
	near, ok := nearest.Word(condition[1], slices.Concat(versionSubjects, featureSubjects, []string{"errno"}))
	if !ok {
		return ""
	}
	return ", did you mean " + near + condition[2] + condition[3] + "?"
}

// transcript reads the commands of a block and their expected output.
func (r *consoleReader) transcript(b *Block, f fence) {
	var output []string // of the last command
	first := 0          // its first line
	finish := func() {
		if len(b.Commands) > 0 {
			r.setOutput(b, &b.Commands[len(b.Commands)-1], output, first)
		}
		output = nil
	}
	for i := 0; i < len(f.lines); i++ {
		line := f.line + 1 + i
		text, isCommand := cutPrompt(f.lines[i])
		if !isCommand {
			if nearPrompt.MatchString(f.lines[i]) {
				r.add(line, "command: a command begins with \"$ \" at the start of its line, found %q", f.lines[i])
			}
			if len(b.Commands) > 0 {
				if len(output) == 0 {
					first = line
				}
				output = append(output, r.vars.replace(f.lines[i], line, r.findings))
			} else if strings.TrimSpace(f.lines[i]) != "" {
				r.add(line, "console block: output before the first command: expected a line that begins with \"$ "+
					"\", found %q", f.lines[i])
				return
			}
			continue
		}
		finish()
		if trimmed := strings.TrimRight(text, " \t"); trimmed != text && continues(trimmed) {
			r.add(line, "command: blanks follow the \\ at its end, so it does not continue the command")
			text = trimmed
		}
		parts := []string{text}
		for continues(parts[len(parts)-1]) {
			i++
			if i == len(f.lines) {
				r.add(line, "command: nothing follows the \\ at its end")
				return
			}
			if _, again := cutPrompt(f.lines[i]); again {
				r.add(f.line+1+i, "command: the \\ at the end of the line above continues it, but this line begins "+
					"another one")
				i--
				parts[len(parts)-1] = strings.TrimSuffix(parts[len(parts)-1], `\`)
				break
			}
			parts = append(parts, f.lines[i])
		}
		c := r.command(parts, line)
		c.OutputLine = line + len(parts)
		b.Commands = append(b.Commands, c)
	}
	finish()
	if len(b.Commands) == 0 {
		r.add(f.line, "console block: it has no command (a line that begins with \"$ \")")
	}
}

// nearPrompt is a line that was probably meant as a command. (Output that looks like it can begin with ... instead.)
var nearPrompt = regexp.MustCompile(`^[ \t\x{a0}]*\\?\$(?:[ \t\x{a0}]+\S|(?:ip|bridge|tc|nft|ping|sysctl|ss|sh)[ \t])`)

// cutPrompt removes the prompt from a command line. A prompt alone is an empty command.
func cutPrompt(line string) (string, bool) {
	if line == "$" {
		return "", true
	}
	return strings.CutPrefix(line, "$ ")
}

// continues reports whether a line ends in an unescaped backslash.
func continues(line string) bool {
	return (len(line)-len(strings.TrimRight(line, `\`)))%2 == 1
}

// command reads a command from its lines.
func (r *consoleReader) command(parts []string, line int) Command {
	for i := range parts {
		parts[i] = r.vars.replace(parts[i], line+i, r.findings)
	}
	argv, err := Words(strings.Join(parts, "\n"))
	switch {
	case err != nil:
		r.add(line, "command: %v", err)
	case len(argv) == 0 || argv[0] == "":
		r.add(line, "command: expected a command after \"$ \"")
	}
	if name, _ := started.Behind(argv, "sudo"); name != "" {
		r.add(line, "command: leave out sudo: commands run as root of the lab already")
	}
	return Command{Line: line, Text: joinLines(parts), Argv: argv}
}

// joinLines is a continued command on one line, for messages.
func joinLines(parts []string) string {
	text := strings.TrimSpace(parts[0])
	for _, part := range parts[1:] {
		begin, next := strings.TrimSuffix(text, `\`), strings.TrimSpace(part)
		if strings.TrimLeft(part, " \t") != part || strings.TrimRight(begin, " \t") != begin {
			begin = strings.TrimRight(begin, " \t") + " "
		}
		text = begin + next
	}
	return text
}

var statusLine = regexp.MustCompile(`^\[([0-9]+|!)\]$`)

// setOutput sets the expected output and status of a command, from its lines, the first of which has this number. Empty
// lines at the end are ignored.
func (r *consoleReader) setOutput(b *Block, c *Command, lines []string, first int) {
	lines = trimEmptyLines(lines)
	refused := b.Errno != ""
	c.Status.Any = refused // errno= without a status means a refusal
	if n := len(lines); n > 0 {
		if m := statusLine.FindStringSubmatch(strings.TrimRight(lines[n-1], " \t")); m != nil {
			c.Status = r.status(m[1], c.Line)
			if refused && !c.Status.Any && c.Status.Code == 0 {
				r.add(c.Line, "console block: errno=%s means a refused command, [0] one that succeeds", b.Errno)
			}
			lines = trimEmptyLines(lines[:n-1])
		}
	}
	silent := slices.IndexFunc(lines, nothing.MatchString)
	status := slices.IndexFunc(lines, statusLine.MatchString)
	switch {
	case status >= 0:
		r.add(first+status, "command: the exit status %s has to be the last line below a command", lines[status])
	case silent < 0:
	case len(lines) > 1:
		r.add(first+silent, "command: "+nothingWord+" has to be the only line below a command, but for its status")
	case strings.TrimSpace(lines[0]) != nothingWord:
		r.add(first, "command: a command that prints nothing has the line "+nothingWord+", found %s", lines[0])
	default:
		c.Compared, c.Output = true, nil
		return
	}
	c.Compared = len(lines) > 0
	c.Output = lines
}

// nothingWord is the line for no output.
const nothingWord = "(nothing)"

var nothing = regexp.MustCompile(`^(?i)[ \t]*[(\[][ \t]*nothing[ \t]*[)\]][ \t]*$`)

func (r *consoleReader) status(text string, line int) Status {
	if text == "!" {
		return Status{Any: true}
	}
	code, err := strconv.Atoi(text)
	if err != nil || code > 255 {
		r.add(line, "command: an exit status is a number from 0 to 255, found [%s]", text)
	}
	return Status{Code: code}
}

func trimEmptyLines(lines []string) []string {
	for len(lines) > 0 && strings.TrimSpace(lines[len(lines)-1]) == "" {
		lines = lines[:len(lines)-1]
	}
	return lines
}
