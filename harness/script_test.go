package main_test

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

var updateScripts = flag.Bool("update-scripts", false, "write what the harness says into the scripts that compare it")

// TestScripts runs the transcripts of testdata/script, which are tests and documentation: how to call each command,
// what it prints, and its exit status.
func TestScripts(t *testing.T) {
	bin := filepath.Dir(buildHarness(t))
	testscript.Run(t, testscript.Params{
		Dir:           filepath.Join("testdata", "script"),
		UpdateScripts: *updateScripts,
		Setup: func(env *testscript.Env) error {
			env.Setenv("PATH", bin+string(os.PathListSeparator)+os.Getenv("PATH"))
			return nil
		},
		Condition: func(name string) (bool, error) {
			if name == "sandbox" {
				return sandboxPossible(t), nil
			}
			return false, fmt.Errorf("judge the condition %s: it is unknown", name)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"harness": func(ts *testscript.TestScript, _ bool, args []string) { ended(ts, 0, "harness", args) },
			"fails": func(ts *testscript.TestScript, _ bool, args []string) {
				status, err := strconv.Atoi(args[0])
				ts.Check(err)
				ended(ts, status, args[1], args[2:])
			},
		},
	})
}

// ended runs a program of a script, which has to end with the status.
func ended(ts *testscript.TestScript, want int, program string, args []string) {
	err := ts.Exec(program, args...)
	status := 0
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		status = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if status != want {
		ts.Fatalf("%s %q: exit status %d, want %d", program, args, status, want)
	}
}
