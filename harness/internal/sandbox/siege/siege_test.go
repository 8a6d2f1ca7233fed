package siege_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"netnscheck/harness/internal/labtest"
)

// This binary has three roles, chosen by the name under which it is started: the tests, the stage that starts the
// harness, and the attacker, a program that the scenarios run.
const (
	stageName  = "siege-stage"
	attackName = "siege-attack"
)

// scratch is a directory that everybody may read; bin below it comes first in the PATH of the harness.
var scratch string

func TestMain(m *testing.M) {
	switch filepath.Base(os.Args[0]) {
	case stageName:
		beStage()
		return
	case attackName:
		beAttacker(os.Args[1:])
		return
	}
	labtest.MostlyWaiting()
	var err error
	if scratch, err = os.MkdirTemp("", "netnscheck-siege-"); err == nil {
		err = os.Chmod(scratch, 0o755)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	status := m.Run()
	if err := os.RemoveAll(scratch); err != nil {
		fmt.Fprintln(os.Stderr, err)
		status = max(status, 1)
	}
	os.Exit(status)
}

// built builds the harness and the attacker once. Both are static: the attacker has to run with whatever the sandbox
// leaves visible, and without the race detector, whose memory and threads would count against the limits.
var built = sync.OnceValue(func() error {
	if err := os.Mkdir(inScratch("bin"), 0o755); err != nil {
		return err
	}
	errs := make(chan error)
	build := func(args ...string) {
		cmd := exec.Command("go", args...)
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
		output, err := cmd.CombinedOutput()
		if err != nil {
			err = fmt.Errorf("go %s: %w\n%s", strings.Join(args, " "), err, output)
		}
		errs <- err
	}
	go build("build", "-o", inScratch("harness"), "netnscheck/harness")
	go build("test", "-c", "-o", inScratch("bin", attackName), ".")
	err := <-errs
	if other := <-errs; err == nil {
		err = other
	}
	return err
})

func inScratch(path ...string) string { return filepath.Join(append([]string{scratch}, path...)...) }
