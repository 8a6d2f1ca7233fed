package main_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
)

// runCI runs a program in a folder, with the programs of the folder and the harness in its PATH.
func runCI(t *testing.T, dir string, env []string, argv ...string) call {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), argv[0], argv[1:]...)
	cmd.Dir = dir
	path := "PATH=" + dir + ":" + filepath.Dir(buildHarness(t)) + ":" + os.Getenv("PATH")
	cmd.Env = append(slices.DeleteFunc(os.Environ(), func(s string) bool { return strings.HasPrefix(s, "MAKE") }), path)
	cmd.Env = append(cmd.Env, env...)
	return finish(t, cmd)
}

// TestKselftestFolder: docs/ci/kselftest runs as a folder of selftests does, with TAP and the statuses of kselftest.
func TestKselftestFolder(t *testing.T) {
	needSandbox(t)
	needPrograms(t, "make")
	dir := write(t, map[string]string{"good.md": good, "red.md": red})
	folder := filepath.Join(dir, "kselftest") // what fails leaves evidence in its folder
	if err := os.CopyFS(folder, os.DirFS("../docs/ci/kselftest")); err != nil {
		t.Fatal(err)
	}
	script := filepath.Join(folder, "netnscheck.sh")
	for name, c := range map[string]struct {
		env    []string
		status int
		tap    string
		line   string
	}{
		"passes": {[]string{"NETNSCHECK_ARGS=" + dir + "/good.md --driver netlink"}, 0,
			"\nok 3 good.netlink Make another #", "\nok 1 selftests: netnscheck: netnscheck.sh\n"},
		"fails": {[]string{"NETNSCHECK_ARGS=" + dir + "/red.md --driver netlink"}, 1,
			"\nnot ok 1 red.netlink Claim it #", "\nnot ok 1 selftests: netnscheck: netnscheck.sh # exit=1\n"},
		"is not there": {[]string{"HARNESS=no-such-harness"}, 4, "TAP version 13\n1..0 # SKIP no-such-harness",
			"\nok 1 selftests: netnscheck: netnscheck.sh # SKIP\n"},
		"is misused": {[]string{"NETNSCHECK_ARGS=no-such-scenario"}, 1, "", "\nnot ok 1 selftests: "},
	} {
		t.Run(name, func(t *testing.T) {
			runCI(t, dir, c.env, "sh", script).want(t, c.status, c.tap)
			got := runCI(t, dir, c.env, "make", "--silent", "-C", folder, "run_tests")
			if !strings.Contains("\n"+got.stdout, c.line) {
				t.Errorf("make run_tests says\n%s%s", got.stdout, got.stderr)
			}
		})
	}
}

// TestLAVADefinition: the steps of the definition run, and tell LAVA each case with its result.
func TestLAVADefinition(t *testing.T) {
	needSandbox(t)
	installed(t, "grep")
	installed(t, "sed")
	text, err := os.ReadFile("../docs/ci/lava/netnscheck.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var definition struct {
		Metadata struct{ Format, Name, Description string }
		Params   map[string]string
		Run      struct{ Steps []string }
	}
	if err := yaml.Unmarshal(text, &definition); err != nil {
		t.Fatal(err)
	}
	if definition.Metadata.Format != "Lava-Test Test Definition 1.0" || definition.Params["NETNSCHECK_ARGS"] == "" {
		t.Errorf("the definition is %+v", definition)
	}
	send, err := os.ReadFile("../docs/ci/lava/send.sh")
	if err != nil {
		t.Fatal(err)
	}
	// of LAVA there is only the program that takes a result on the device
	dir := write(t, map[string]string{"good.md": good, "red.md": red, "docs/ci/lava/send.sh": string(send),
		"lava-test-case": "#!/bin/sh\nid=$1\nif [ \"$2\" = --shell ]; then shift 2; \"$@\" && echo \"$id pass\"; exit; fi\n" +
			"echo \"$id $3\"\n"})
	if err := os.Chmod(filepath.Join(dir, "lava-test-case"), 0o755); err != nil {
		t.Fatal(err)
	}
	c := runCI(t, dir, []string{"NETNSCHECK_ARGS=good.md red.md --driver netlink -q --report console=/dev/null"},
		"sh", "-c", strings.Join(definition.Run.Steps, "\n"))
	const want = `good.netlink-Make-one pass
good.netlink-Make-one-Mistake-a-second-one-of-this-name pass
good.netlink-Make-another pass
red.netlink-Claim-it fail
red.netlink-Needs-it skip
run pass
netnscheck-ran pass
`
	if c.stdout != want {
		t.Errorf("LAVA is told\n%s\nwant\n%s\n%s", c.stdout, want, c.stderr)
	}
}
