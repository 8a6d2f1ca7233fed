package main_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// TestJSONFollowsThePublishedSchemas: what each command prints for programs is what docs/schema promises. The schemas
// refuse what they do not know, so that a new field comes with them.
func TestJSONFollowsThePublishedSchemas(t *testing.T) {
	needSandbox(t)
	dir := write(t, map[string]string{"good.md": good, "red.md": red})
	for schema, calls := range map[string][]call{
		"list-1.json":   {harness(t, dir, "list", "--json")},
		"cases-1.json":  {harness(t, dir, "list", "--cases", "--json")},
		"labels-1.json": {harness(t, dir, "list", "--labels", "--json")},
		"course-1.json": {harness(t, dir, "list", "--course", "--json")},
		"map-1.json": {onMachine(t, dir, aPair, "map", "--json"), onMachine(t, dir, mended, "map", "--json"),
			harness(t, dir, "map", "veth-pair", "--json")},
		"diagnose-1.json": {onMachine(t, dir, aPair, "diagnose", "--json"),
			onMachine(t, dir, aPair, "diagnose", "--matrix", "--json"),
			onMachine(t, dir, aPair, "diagnose", "--from", "prodns", "--to", "192.168.2.103", "--json"),
			onMachine(t, dir, mended, "diagnose", "--from", "prodns", "--to", "192.168.2.103", "--probe", "--trace",
				"--json")},
		"doctor-1.json":     {harness(t, dir, "doctor", "--json")},
		"doctor-lab-1.json": {harness(t, dir, "doctor", "--lab", "veth-pair", "--json")},
		"run-1.json": {harness(t, dir, "run", "good.md", "red.md", "--report", "json=-"),
			harness(t, dir, "run", "suites", "--focus", "lifetime", "--report", "json=-")},
	} {
		compiled, err := jsonschema.NewCompiler().Compile(filepath.Join("..", "docs", "schema", schema))
		if err != nil {
			t.Fatal(err)
		}
		for i, c := range calls {
			value, err := jsonschema.UnmarshalJSON(strings.NewReader(c.stdout))
			if err != nil {
				t.Errorf("%s, call %d: %v: %s%s", schema, i, err, c.stdout, c.stderr)
			} else if err := compiled.Validate(value); err != nil {
				t.Errorf("%s, call %d: %v", schema, i, err)
			}
			other := strings.Replace(c.stdout, `{`, `{"more": 1,`, 1)
			value, err = jsonschema.UnmarshalJSON(strings.NewReader(other))
			if err == nil && compiled.Validate(value) == nil {
				t.Errorf("%s takes a field that it does not know", schema)
			}
		}
	}
}

// TestACaseIsRunAgain: the command that the reports give for a failure plays that case alone, with the same end.
func TestACaseIsRunAgain(t *testing.T) {
	needSandbox(t)
	dir := write(t, map[string]string{"folder of mine/red.md": red})
	c := harness(t, dir, "run", "folder of mine", "--driver", "netlink", "--report", "ktap=-", "--junit", "junit.xml")
	c.want(t, 1)
	var again string
	for line := range strings.Lines(c.stderr) {
		if _, command, ok := strings.Cut(line, "to run it again: "); ok && again == "" {
			again = strings.TrimSpace(command)
		}
	}
	if !strings.HasPrefix(again, "harness run 'folder of mine/red.md' --case red.netlink.1") {
		t.Fatalf("it is run again by %q:\n%s", again, c.stderr)
	}
	junit, err := os.ReadFile(filepath.Join(dir, "junit.xml"))
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"KTAP": c.stdout, "JUnit": string(junit)} {
		if !strings.Contains(text, again) {
			t.Errorf("%s does not say %s:\n%s", name, again, text)
		}
	}
	shell := exec.CommandContext(t.Context(), "sh", "-c", again)
	shell.Dir = dir
	shell.Env = append(os.Environ(), "PATH="+filepath.Dir(buildHarness(t))+":"+os.Getenv("PATH"))
	finish(t, shell).want(t, 1, "1 case: 0 passed, 1 failed")
}
