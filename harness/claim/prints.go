package claim

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"

	"netnscheck/harness/scenario/operation"
	"netnscheck/harness/scenario/transcript"
	"netnscheck/harness/state"
)

// Prints is the command `…` in `N` prints `…`, and … prints nothing, in which Text is "".
type Prints struct{ Netns, Command, Text string }

func init() {
	add(Entry{
		Place: 290,
		Means: "the last resort, for what no other check says: one line of what the program prints, on standard " +
			"output or standard error, as in console blocks; whatever its exit status is. With every driver it is " +
			"the program itself, started as by `ip netns exec`; a check only looks, so it must not change anything",
		Forms: []Form{
			says("the command `ss -ltn` in `N` prints `...:80 ...`", func(a arguments) Claim {
				return Prints{Command: a.text(0), Netns: a.text(1), Text: a.text(2)}
			}),
			denies("the command `ss -ltn` in `N` prints nothing", func(a arguments) Claim {
				return Prints{Command: a.text(0), Netns: a.text(1)}
			}),
		},
		Slots: map[string]Slot{
			"ss -ltn":    asText("a command as in console blocks, which changes nothing", checkCommand),
			"...:80 ...": asText("a line that the command prints, with `...` for any text", checkPrinted),
		},
	})
}

// checkCommand refuses a command that changes something, as far as its words tell.
func checkCommand(text string) error {
	argv, err := transcript.Words(text)
	if err != nil {
		return err
	}
	if len(argv) == 0 || argv[0] == "" {
		return errors.New("expected a command, found none")
	}
	return onlyLooks(argv)
}

// checkPrinted refuses what would say that nothing is printed, also in the words of console blocks.
func checkPrinted(text string) error {
	switch strings.TrimSpace(text) {
	case "", "(nothing)":
		return fmt.Errorf("%w; for no output write: prints nothing", expected(text, "a line that the command prints"))
	}
	return nil
}

func (c Prints) Sentence() string {
	if c.Text == "" {
		return say("the command %s in %s prints nothing", c.Command, c.Netns)
	}
	return say("the command %s in %s prints %s", c.Command, c.Netns, c.Text)
}

func (c Prints) Needs() Needs {
	return Needs{Class: ByProgram, Question: Output{Netns: c.Netns, Command: c.Command}}
}

// unsettledBy: rules and sockets do not settle; what other programs list may.
func (c Prints) unsettledBy(*state.State, state.Pending) bool {
	argv, _ := transcript.Words(c.Command)
	_, argv = operation.Enter(argv)
	return !slices.Contains([]string{"nft", "ss"}, path.Base(argv[0]))
}

// Judge compares line by line. The whole output is not compared with one text: in it `...` would reach from one line
// into another, and prove less than it says.
func (c Prints) Judge(known Evidence) Finding {
	var lines []string
	for line := range strings.Lines(known.Printed.Text) {
		if line = printedLine(line); line != "" {
			lines = append(lines, line)
		}
	}
	wanted := printedLine(c.Text)
	holds := slices.ContainsFunc(lines, func(line string) bool { return transcript.MatchLine(wanted, line) })
	if c.Text == "" {
		holds = len(lines) == 0
	}
	return finding(holds, "it prints "+quoted(lines)+known.Printed.status())
}

// printedLine is a line as it is compared: in a sentence nobody writes the blanks at its beginning.
func printedLine(line string) string {
	return strings.TrimSpace(transcript.Fold(strings.TrimSuffix(line, "\n")))
}

// quoted are the first lines of an output.
func quoted(lines []string) string {
	const most = 10
	var words []string
	for _, line := range lines[:min(len(lines), most)] {
		words = append(words, strconv.Quote(line))
	}
	if len(lines) > most {
		words = append(words, fmt.Sprintf("and %d more lines", len(lines)-most))
	}
	return word(len(lines) == 0, "nothing", strings.Join(words, ", "))
}

func (p PrintedText) status() string {
	return word(p.Status == 0, "", fmt.Sprintf(" (exit status %d)", p.Status))
}

// Mutants take from the namespace, or give it, one thing of each kind that programs list; at last they replace the
// program.
func (c Prints) Mutants() Mutants {
	argv, _ := transcript.Words(c.Command)
	_, argv = operation.Enter(argv)
	instead := by("sh -c 'printf \"#!/bin/sh\\n" + word(c.Text == "", "echo mutant", "") + "\" >/tmp/mutant; " +
		"chmod +x /tmp/mutant; mount --bind /tmp/mutant $(command -v " + argv[0] + ")'")
	if c.Text == "" {
		given := by("-"+execIn(c.Netns, "nft add table inet mutant"), "-"+in(c.Netns, "link set lo up"),
			"-"+in(c.Netns, "link add mutant type bridge"), "-"+in(c.Netns, "link set mutant up"),
			"-"+in(c.Netns, "addr add 192.0.2.77/24 dev mutant"),
			"-"+in(c.Netns, "neigh add 192.0.2.78 lladdr 02:00:00:00:00:77 dev mutant"),
			"-"+execIn(c.Netns, "busybox httpd -p 7979"))
		return Mutants{Own: []Way{given, instead}, Gone: withoutNetns(c.Netns)}
	}
	return Mutants{
		Own: []Way{killed(c.Netns), by(execIn(c.Netns, "nft flush ruleset")), allDown(c.Netns),
			flushed(c.Netns), instead},
		Gone: withoutNetns(c.Netns),
	}
}
