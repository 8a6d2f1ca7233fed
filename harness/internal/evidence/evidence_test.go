package evidence

import (
	"encoding/json"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"netnscheck/harness/scenario"
	"netnscheck/harness/term"
)

var update = flag.Bool("update", false, "write the golden files")

const text = `---
id: cut
host:
  interfaces:
    eth0: [192.0.2.5/24, 2001:db8::5/64]
  routes:
    - default via 192.0.2.1
---
# A cable that is cut

## Make one
` + "```console\n$ ip netns add \"it's\"\n```\n" + `
- [ ] namespace ` + "`it's`" + ` exists

### Mistake: too late
` + "```console\n$ ip netns del nosuch\n[!]\n$ printf '\x1b[31m%s' red\n[3]\n```\n" + `
- [x] namespace ` + "`nosuch`" + ` does not exist
`

func sample(t *testing.T) *scenario.Scenario {
	t.Helper()
	sc, err := scenario.Parse("cut.md", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return sc
}

// linesOf are the lines of all commands of a scenario.
func linesOf(sc *scenario.Scenario) (lines []int) {
	for b := range sc.Blocks() {
		for _, cmd := range b.Commands {
			lines = append(lines, cmd.Line)
		}
	}
	return lines
}

func TestScript(t *testing.T) {
	sc := sample(t)
	got, err := ScriptText(sc, "cut.netlink.1.1", "a title\nin two lines\x1b[2J", linesOf(sc))
	if err != nil {
		t.Fatal(err)
	}
	golden := filepath.Join("testdata", "cut.sh")
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("the script is now (go test -update writes it):\n%s", got)
	}
	if got != term.Printable(got) {
		t.Error("something in the script acts on a terminal")
	}
	sh, err := exec.LookPath("sh")
	if err != nil {
		t.Skip(err)
	}
	if out, err := exec.Command(sh, "-n", golden).CombinedOutput(); err != nil {
		t.Errorf("it is no script: %v\n%s", err, out)
	}
	for _, line := range []int{0, 1, -1, 1 << 40} {
		if _, err := ScriptText(sc, "cut.netlink.1", "", []int{line}); err == nil {
			t.Errorf("a command in line %d was found", line)
		}
	}
}

// TestScriptThatCannotBegin: where no namespaces can be made, the status is not that of a command that ends otherwise.
func TestScriptThatCannotBegin(t *testing.T) {
	sh, err := exec.LookPath("sh")
	if err != nil {
		t.Skip(err)
	}
	path := t.TempDir()
	refuses := "#!" + sh + "\necho 'unshare failed: Operation not permitted' >&2\nexit 1\n"
	if err := os.WriteFile(filepath.Join(path, "unshare"), []byte(refuses), 0o755); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(sh, filepath.Join("testdata", "cut.sh"))
	cmd.Env = []string{"PATH=" + path}
	out, _ := cmd.CombinedOutput()
	if status := cmd.ProcessState.ExitCode(); status != 2 || !strings.Contains(string(out), "not permitted") {
		t.Errorf("status %d\n%s", status, out)
	}
}

func TestCaseFile(t *testing.T) {
	file, err := Case{Program: "netnscheck 1.0", ID: "cut.netlink.1", Driver: "netlink", File: "cut.md", Seed: 7,
		Variables: map[string]string{"net": "10.0.0.0/8"}, Taken: map[string]bool{"veth": false}}.Encode(text)
	if err != nil {
		t.Fatal(err)
	}
	c, err := DecodeCase(file, []byte(text))
	if err != nil || c.ID != "cut.netlink.1" || c.Seed != 7 || c.Variables["net"] != "10.0.0.0/8" || c.Taken["veth"] {
		t.Errorf("it reads back as %+v, %v", c, err)
	}
	with := func(old, new string) string { return strings.Replace(string(file), old, new, 1) }
	for name, bad := range map[string]struct{ file, text, want string }{
		"another text":  {string(file), text + "\n", "scenario.txt: it is not the text that was played"},
		"version":       {with(`"version": 1`, `"version": 2`), text, `has version 2, written by "netnscheck 1.0"`},
		"no version":    {"{}", text, "it has version 0"},
		"unknown field": {with(`"seed"`, `"sead"`), text, `unknown field "sead"`},
		"no case":       {with(`"cut.netlink.1"`, `""`), text, "it does not say which case it is about"},
		"no JSON":       {"x", text, "read case.json: invalid character 'x'"},
		"half":          {string(file[:40]), text, "read case.json: unexpected end"},
	} {
		if c, err := DecodeCase([]byte(bad.file), []byte(bad.text)); err == nil || !strings.Contains(err.Error(), bad.want) {
			t.Errorf("%s: %+v, %v; want %q", name, c, err, bad.want)
		}
	}
}

func TestIndexSaysWhatIsMissing(t *testing.T) {
	b := NewBundle()
	b.Files[Transcript] = []byte("x")
	b.Lack(Transcript, "it is there")
	b.Lack(Packets, "nobody\nlistened")
	b.Lack(Packets, "another reason")
	got := b.IndexText("the case", "why \x1b[2J")
	for _, want := range []string{"the case\n\nwhy \\x1b[2J\n", "\ntranscript.txt  the commands", "\nCould not be had:\n",
		"\npackets.pcapng  nobody\\x0alistened\n", "\nkernel.log      nobody told it\n"} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is missing in:\n%s", want, got)
		}
	}
	if strings.Contains(got, "it is there") {
		t.Errorf("it says that what is there is missing:\n%s", got)
	}
	for _, f := range Files {
		if strings.Count(got, "\n"+f.Name+" ") != 1 {
			t.Errorf("%s is not listed once", f.Name)
		}
	}
}

// TestPrintable: what is not printable is not in a text, and the value of JSON stays the same.
func TestPrintable(t *testing.T) {
	value := map[string]string{"a": "\x7f\u0085\u202e\U000e0001\t\nä \x1b"}
	content, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	got := Printable(AfterJSON, content)
	var back map[string]string
	if err := json.Unmarshal(got, &back); err != nil || back["a"] != value["a"] {
		t.Errorf("%q reads back as %q, %v", got, back, err)
	}
	if string(got) != term.Printable(string(got)) {
		t.Errorf("%q is not printable", got)
	}
	if got := string(Printable(Transcript, []byte("a\x1b\xffb\n"))); got != `a\x1b\xffb`+"\n" {
		t.Errorf("a text is %q", got)
	}
	if got := string(Printable(Packets, []byte("\x0a\x0d\xff"))); got != "\x0a\x0d\xff" {
		t.Errorf("packets are %q", got)
	}
}

func TestFromSandbox(t *testing.T) {
	for name, want := range map[string]bool{Transcript: true, Packets: true, Script: false, CaseFile: false, Index: false,
		Scenario: false, KernelLog: false, "": false, "../x": false, "/etc/passwd": false} {
		if FromSandbox(name) != want {
			t.Errorf("%q: %v", name, !want)
		}
	}
}
