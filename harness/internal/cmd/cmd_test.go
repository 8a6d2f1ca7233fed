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

// TestWrongUsage: each is one line in words of this program, with the nearest word, and nothing else.
func TestWrongUsage(t *testing.T) {
	for line, want := range map[string]string{
		"lst": "there is no command \"lst\", did you mean `harness list`?",
		"veth-pair": "there is no command \"veth-pair\"; to run a scenario: `harness run veth-pair`; " +
			"`harness --help` shows the commands",
		"help runn":          "there is no command \"runn\", did you mean `harness run`?",
		"help scenario chek": "there is no command \"chek\", did you mean `harness scenario check`?",
		"help list x": "`harness list` takes no argument, \"x\" is one; `harness list --help` shows how it " +
			"is called",
		"completion bsh": "there is no command \"bsh\", did you mean `harness completion bash`?",
		"completion bash x": "`harness completion bash` takes no argument, \"x\" is one; `harness completion " +
			"bash --help` shows how it is called",
		"-h foo": "there is no command \"foo\"; to run a scenario: `harness run foo`; `harness " +
			"--help` shows the commands",
		"--help lst": "there is no command \"lst\", did you mean `harness list`?",
		"list -h x": "`harness list` takes no argument, \"x\" is one; `harness list --help` shows how it " +
			"is called",
		"scenario chek":    "there is no command \"chek\", did you mean `harness scenario check`?",
		"scenario -h chek": "there is no command \"chek\", did you mean `harness scenario check`?",
		"list x": "`harness list` takes no argument, \"x\" is one; `harness list --help` shows how it " +
			"is called",
		"show": "`harness show` needs the id or the file of one scenario; `harness show --help` " +
			"shows how it is called",
		"show a b": "`harness show` takes the id or the file of one scenario, \"b\" is too much; " +
			"`harness show --help` shows how it is called",
		"explain a b": "`harness explain` takes a cause, \"b\" is too much; `harness explain --help` shows " +
			"how it is called",
		"scenario check": "`harness scenario check` needs the file of a scenario; `harness scenario check " +
			"--help` shows how it is called",
		"run --timeout 5": "--timeout \"5\": that is no value for it, a time with its unit is wanted, such as " +
			"30s or 5m; `harness run --help` shows the flags",
		"run --procs x": "--procs \"x\": that is no value for it, a whole number is wanted; `harness run " +
			"--help` shows the flags",
		"run --procs": "--procs: its value is missing, a whole number is wanted; `harness run --help` " +
			"shows the flags",
		"run --driver": "--driver: its value is missing; `harness run --help` shows the flags",
		"run -q=x": "--quiet \"x\": that is no value for it, it stands alone; `harness run --help` " +
			"shows the flags",
		"run --drivr netlink": "there is no flag --drivr, did you mean --driver?",
		"run -x":              "there is no flag -x; `harness run --help` shows the flags",
		"run -xv":             "there is no flag -x (in -xv); `harness run --help` shows the flags",
		"diagnose --size much": "--size \"much\": that is no value for it, a whole number is wanted; `harness " +
			"diagnose --help` shows the flags",
	} {
		status, stdout, stderr := call(t, strings.Fields(line)...)
		if status != 2 || stdout != "" || stderr != "harness: "+want+"\n" {
			t.Errorf("harness %s: status %d, stdout %q, stderr\n%swant\nharness: %s", line, status, stdout, stderr,
				want)
		}
	}
}

// TestHelp is shown where nothing is wrong.
func TestHelp(t *testing.T) {
	for line, want := range map[string]string{
		"-h":                  "Without a subcommand it runs the whole catalogue",
		"help":                "Without a subcommand it runs the whole catalogue",
		"help run":            "harness run [ID | FILE.md | DIR | suites]...",
		"run -h veth-pair":    "harness run [ID | FILE.md | DIR | suites]...",
		"show -h":             "harness show ID|FILE",
		"help scenario check": "harness scenario check FILE...",
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
