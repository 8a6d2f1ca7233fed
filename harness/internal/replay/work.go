package replay

import (
	"fmt"
	"path"
	"regexp"
	"strconv"
	"strings"

	"netnscheck/harness/sitting/progress"
)

// MaxScript is the size of the largest script that is replayed, in bytes.
const MaxScript = 256 << 10

// mark is a comment that says to which step the lines below it belong.
var mark = regexp.MustCompile(`^\s*#+\s*(?i:step)\s+(\d{1,4})\b`)

// OfScript are the commands of a script: its lines. Its first line may name bash as its shell; otherwise it is sh.
func OfScript(text string) (commands []Command, shell string) {
	text = strings.TrimPrefix(strings.ReplaceAll(text, "\r\n", "\n"), "\ufeff")
	step := 0
	for i, line := range strings.SplitAfter(text, "\n") {
		if line == "" {
			continue
		}
		if m := mark.FindStringSubmatch(line); m != nil {
			step, _ = strconv.Atoi(m[1])
		}
		commands = append(commands, Command{Text: line, Where: fmt.Sprintf("line %d", i+1), Step: step})
	}
	if n := len(commands); n > 0 && !strings.HasSuffix(commands[n-1].Text, "\n") {
		commands[n-1].Text += "\n"
	}
	shell = "sh"
	if first, _, _ := strings.Cut(text, "\n"); strings.HasPrefix(first, "#!") {
		for _, word := range strings.Fields(first[2:]) {
			if path.Base(word) == "bash" {
				shell = "bash"
			}
		}
	}
	return commands, shell
}

// OfProgress are the commands of a progress file, those that a reset undid left out. A command that is not whole in it
// is an error.
func OfProgress(f *progress.File) ([]Command, error) {
	if f.Dropped > 0 {
		return nil, fmt.Errorf("its log had no room for %d commands, so the work cannot be repeated", f.Dropped)
	}
	var commands []Command
	for i, e := range f.Replay() {
		where := fmt.Sprintf("command %d", i+1)
		switch {
		case e.Untold():
			return nil, fmt.Errorf("%s is not in the log, since the shell did not tell it, so the work cannot be "+
				"repeated", where)
		case e.Cut:
			return nil, fmt.Errorf("%s is too long and not whole in the log, so the work cannot be repeated", where)
		case e.Do == progress.Solve:
			if e.Step <= len(f.Steps) {
				commands = append(commands, Command{Where: where, Step: e.Step, Solve: true})
			}
			continue
		case strings.TrimSpace(e.Line) == "" || ofTheLab(e.Line):
			continue
		}
		commands = append(commands, Command{Text: e.Line, Where: where, Step: e.Step, Terminal: e.Terminal,
			Netns: e.Netns, Interrupted: e.Status == progress.NoStatus || e.Status > 128})
	}
	return commands, nil
}

// ofTheLab reports whether a line only asks the lab for something.
func ofTheLab(line string) bool {
	words := strings.Fields(line)
	return words[0] == "lab" && !strings.ContainsAny(line, ";&|\n`$")
}
