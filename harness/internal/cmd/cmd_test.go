package cmd

import (
	"bytes"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"netnscheck/harness/internal/cmd/screen"
	"netnscheck/harness/term"
)

// call runs a command line in this process.
func call(t *testing.T, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	var out, err bytes.Buffer
	status = execute(t.Context(), screen.Plain(&out, &err, false), args)
	return status, out.String(), err.String()
}

// TestWrongUsage: each mistake is reported in one line, in this program's words, with the nearest right word.
func TestWrongUsage(t *testing.T) {
	for line, want := range map[string]string{
		"lst": "there is no command \"lst\", did you mean `harness list`?",
		"veth-pair": "there is no command \"veth-pair\"; to run a scenario: `harness run veth-pair`; " +
			"`harness --help` lists the commands",
		"help runn":          "there is no command \"runn\", did you mean `harness run`?",
		"help scenario chek": "there is no command \"chek\", did you mean `harness scenario check`?",
		"help scenario x":    "there is no command \"x\"; `harness scenario --help` lists the commands",
		"help list x":        "unexpected argument \"x\": `harness list` takes none; see `harness list --help`",
		"completion bsh":     "there is no command \"bsh\", did you mean `harness completion bash`?",
		"completion bash x": "unexpected argument \"x\": `harness completion bash` takes none; " +
			"see `harness completion bash --help`",
		"-h foo": "there is no command \"foo\"; to run a scenario: `harness run foo`; " +
			"`harness --help` lists the commands",
		"--help lst":       "there is no command \"lst\", did you mean `harness list`?",
		"list -h x":        "unexpected argument \"x\": `harness list` takes none; see `harness list --help`",
		"scenario chek":    "there is no command \"chek\", did you mean `harness scenario check`?",
		"scenario -h chek": "there is no command \"chek\", did you mean `harness scenario check`?",
		"list x":           "unexpected argument \"x\": `harness list` takes none; see `harness list --help`",
		"show": "missing argument: `harness show` needs the id or the file of one scenario; " +
			"see `harness show --help`",
		"show a b": "unexpected argument \"b\": `harness show` takes the id or the file of one scenario; " +
			"see `harness show --help`",
		"explain a b": "unexpected argument \"b\": `harness explain` takes one cause; see `harness explain --help`",
		"scenario check": "missing argument: `harness scenario check` needs the file of a scenario or a folder; " +
			"see `harness scenario check --help`",
		"run --timeout 5": "--timeout \"5\": want a time with a unit, such as 30s or 5m; " +
			"`harness run --help` lists the flags",
		"run --procs x":        "--procs \"x\": want a whole number; `harness run --help` lists the flags",
		"run --procs":          "--procs needs a whole number; `harness run --help` lists the flags",
		"run --driver":         "--driver needs a value; `harness run --help` lists the flags",
		"run -q=x":             "--quiet \"x\": want no value; `harness run --help` lists the flags",
		"run --drivr netlink":  "there is no flag --drivr, did you mean --driver?",
		"run -x":               "there is no flag -x; `harness run --help` lists the flags",
		"run -xv":              "there is no flag -x (in -xv); `harness run --help` lists the flags",
		"diagnose --size much": "--size \"much\": want a whole number; `harness diagnose --help` lists the flags",
	} {
		status, stdout, stderr := call(t, strings.Fields(line)...)
		if status != 2 || stdout != "" || stderr != "harness: "+want+"\n" {
			t.Errorf("harness %s: status %d, stdout %q, stderr\n%swant\nharness: %s", line, status, stdout, stderr,
				want)
		}
	}
}

// TestHelp: help is shown if nothing else is wrong with the command line.
func TestHelp(t *testing.T) {
	for line, want := range map[string]string{
		"-h":                  "Without a subcommand it runs the whole catalogue",
		"help":                "Without a subcommand it runs the whole catalogue",
		"help run":            "harness run [ID | FILE.md | DIR | suites]...",
		"run -h veth-pair":    "harness run [ID | FILE.md | DIR | suites]...",
		"show -h":             "harness show ID|FILE",
		"help scenario check": "harness scenario check FILE | DIR...",
		"scenario":            "Commands for authors of scenarios",
		"completion":          "Generate the autocompletion script",
		"completion bash":     "# bash completion V2 for harness",
		"__complete help r":   "run\t",
	} {
		if status, stdout, stderr := call(t, strings.Fields(line)...); status != 0 || !strings.Contains(stdout, want) {
			t.Errorf("harness %s: status %d, %s%s", line, status, stdout, stderr)
		}
	}
}

// TestHelpFitsATerminal: of 80 columns, for each command of this program; those of cobra wrap as they do.
func TestHelpFitsATerminal(t *testing.T) {
	var walk func(c *cobra.Command)
	walk = func(c *cobra.Command) {
		_, stdout, _ := call(t, append(strings.Fields(c.CommandPath())[1:], "--help")...)
		for line := range strings.Lines(stdout) {
			if n := term.Width(strings.TrimSuffix(line, "\n")); n > 80 {
				t.Errorf("%s --help: %d columns: %s", c.CommandPath(), n, line)
			}
		}
		for _, sub := range c.Commands() {
			walk(sub)
		}
	}
	walk(Root(screen.Plain(nil, nil, false)))
}
