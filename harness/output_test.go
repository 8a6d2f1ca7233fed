package main_test

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode"

	"golang.org/x/sys/unix"

	"netnscheck/harness/internal/sandbox"
	"netnscheck/harness/term"
)

// evil is a hostile file name: an escape sequence, a change of direction, a line that is a command to a CI runner.
const evil = "a\x1b[2J\u202e\n ::error file=x::owned ##[group]\n::add-mask::e.md"

// hostile is a scenario with such text in every place for free text.
const hostile = "---\nid: hostile\n---\n# Title \x1b]0;owned\a \u202e \u0085\n\n" +
	"Text \u009b31m ##[error]x\n::error::text\n\n" +
	"## Step \x1b[31m \u2066 ##[group]s\n```console\n" +
	"$ ip netns add \"a\x1b[31m\u202e\"\n$ ip link set dev \"::\x1b[5m\u202e\" up\n```\n\n" +
	"- [ ] namespace `\u202e\x1b[7m::error::x` exists within `50ms`\n"

// inCI runs the harness as a step of a workflow.
func inCI(t *testing.T, dir string, args ...string) call {
	t.Helper()
	cmd := command(t, dir, args...)
	cmd.Env = append(os.Environ(), "GITHUB_ACTIONS=true", "CI=true")
	return finish(t, cmd)
}

// wantHarmless checks that a text has no effect on a terminal or a runner, and that the escaped characters are visible.
func wantHarmless(t *testing.T, text string, visible ...string) {
	t.Helper()
	for i, line := range strings.Split(text, "\n") {
		for _, r := range line {
			if r != '\t' && !term.Safe(r) || unicode.Is(unicode.Bidi_Control, r) {
				t.Errorf("line %d has %U in it: %q", i+1, r, line)
			}
		}
		if strings.HasPrefix(strings.TrimSpace(line), "::") || strings.Contains(line, "##[") {
			t.Errorf("line %d is a command: %q", i+1, line)
		}
	}
	for _, v := range visible {
		if !strings.Contains(text, v) {
			t.Errorf("%s is not told:\n%s", v, text)
		}
	}
}

// TestHostileOutput: the output of a program begins lines of the console.
func TestHostileOutput(t *testing.T) {
	needSandbox(t)
	if _, err := exec.LookPath("ip"); err != nil {
		sandbox.Lacking(t, err)
	}
	program := "# T\n\n## S\n```console\n" +
		"$ printf 'a\\n ::error::said\\n\\033]0;x\\007\\n'\nb\n```\n\n- [ ] namespace `x` exists within `50ms`\n"
	dir := write(t, map[string]string{"e.md": program})
	c := inCI(t, dir, "run", "e.md", "--driver", "iproute2", "-v")
	c.want(t, 1)
	wantHarmless(t, c.stdout+c.stderr, `:\u003aerror::said`, `\x1b]0;x\x07`)
}

func TestHostileText(t *testing.T) {
	needSandbox(t)
	dir := write(t, map[string]string{
		evil:            hostile,
		"broken" + evil: strings.Replace(hostile, "exists", "exits \u202e\x1b[1m", 1),
		"state" + evil: `{"namespaces": [
			{"name": "\u001b[31m\u202e\n::error::a", "links": [{"name": "\u009b1m", "index": 1}]}]}`,
	})
	for name, c := range map[string]struct {
		args    []string
		visible []string
	}{
		"run": {[]string{"run", evil, "--driver", "netlink"}, []string{`\x1b[31m`, `\u202e`}},
		"run -v": {[]string{"run", evil, "--driver", "netlink", "-v", "--slowest"},
			[]string{`\x1b[5m`, `\u2066`}},
		"run a folder":    {[]string{"run", "."}, []string{`\x1b[2J`, `\u005bgroup]`}},
		"check":           {[]string{"scenario", "check", evil}, []string{`\x1b[2J`, `\u003aadd-mask`}},
		"check a bad one": {[]string{"scenario", "check", "broken" + evil}, []string{`\u202e`, `\u003aadd-mask`}},
		"show": {[]string{"show", evil},
			[]string{`\x1b]0;owned\x07`, `\u0085`, `:\u003aerror::text`, `##\u005berror]x`}},
		"map":            {[]string{"map", evil}, []string{`\x1b[2J`, `\x1b[5m`}},
		"a missing file": {[]string{"run", "missing" + evil}, []string{`\x1b[2J`, `\u202e`}},
		"an unknown id":  {[]string{"show", "\u202e\x1b[1m"}, []string{`\u202e\x1b[1m`}},
		"a command":      {[]string{"\u202e\n::error::x"}, nil},
		"a flag":         {[]string{"run", "--\u202e\x1b\n::error::"}, nil},
		"a cause":        {[]string{"explain", "\u202e\x1b\n::error::"}, nil},
		"a driver":       {[]string{"run", evil, "--driver", "\x1b\u202e"}, nil},
		"diagnose":       {[]string{"diagnose", "--state", "state" + evil}, nil},
		"diagnose --json": {[]string{"diagnose", "--state", "state" + evil, "--json", "--from", "\u202e", "--to",
			"10.0.0.1"}, nil},
		"save": {[]string{"diagnose", "--state", "state" + evil, "--save", "saved" + evil},
			[]string{`\u003aadd-mask`}},
		"no state":    {[]string{"diagnose", "--state", evil}, []string{`\x1b[2J`}},
		"map a state": {[]string{"map", "--state", "state" + evil}, []string{`\u202e`}},
		"map --json":  {[]string{"map", "--state", "state" + evil, "--json"}, []string{`\\u202e`}},
		"list":        {[]string{"list"}, nil},
		"list --json": {[]string{"list", "--json"}, nil},
		"version":     {[]string{"version"}, nil},
		"explain":     {[]string{"explain"}, nil},
		"help":        {[]string{"--help"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			said := inCI(t, dir, c.args...)
			if said.stdout+said.stderr == "" {
				t.Error("it says nothing")
			}
			wantHarmless(t, said.stdout)
			wantHarmless(t, said.stderr)
			wantHarmless(t, said.stdout+"\n"+said.stderr, c.visible...)
		})
	}
	report, err := os.ReadFile(filepath.Join(dir, "results", "junit.xml"))
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range string(report) {
		if r != '\t' && r != '\n' && !term.Safe(r) {
			t.Errorf("the JUnit report has %U in it", r)
		}
	}
	validJUnit(t, filepath.Join(dir, "results", "junit.xml"))
}

// own matches the sequences that this program sends to a terminal: looks, and the removal of the progress line.
var own = regexp.MustCompile(`\x1b\[(1|2|4|31|32|33|36|1;36|4;36|0)m|\r\x1b\[K|\r\n`)

// TestHostileTextOnATerminal: the same with colours and the progress line.
func TestHostileTextOnATerminal(t *testing.T) {
	needSandbox(t)
	dir := write(t, map[string]string{evil: hostile})
	for _, args := range [][]string{{"run", evil, "--driver", "netlink", "-v"}, {"show", evil},
		{"scenario", "check", evil}, {"run", "missing" + evil}} {
		said := onTerminal(t, command(t, dir, args...))
		if strings.Contains(said, "\x1b[0m") != (args[0] != "scenario" && args[1] == evil) {
			t.Errorf("%s: colours are missing, or are where none are expected: %q", args, said)
		}
		rest := own.ReplaceAllString(said, "\n")
		for _, r := range rest {
			if r != '\n' && r != '\t' && !term.Safe(r) {
				t.Errorf("%s: %U is sent to the terminal: %q", args, r, rest)
				break
			}
		}
	}
}

// onTerminal runs a command on a pseudo-terminal and returns its output.
func onTerminal(t *testing.T, cmd *exec.Cmd) string {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skipf("no terminal can be made here: %v", err)
	}
	defer master.Close()
	if err := unix.IoctlSetPointerInt(int(master.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	number, err := unix.IoctlGetInt(int(master.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	slave, err := os.OpenFile(fmt.Sprint("/dev/pts/", number), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stdout, cmd.Stderr = slave, slave
	cmd.Env = append(os.Environ(), "TERM=xterm", "NO_COLOR=")
	err = cmd.Start()
	slave.Close()
	if err != nil {
		t.Fatal(err)
	}
	said, _ := io.ReadAll(master) // it ends with EIO when nobody has the other side
	cmd.Wait()
	return string(said)
}
