package proof_test

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"netnscheck/harness/internal/labtest"
	"netnscheck/harness/internal/program"
	"netnscheck/harness/internal/sandbox"
	"netnscheck/harness/scenario"
)

var update = flag.Bool("update", false, "write the golden text and the pictures anew")

// scratch is a folder for the program, which other users may enter.
var scratch string

func TestMain(m *testing.M) {
	labtest.MostlyWaiting()
	var err error
	if scratch, err = os.MkdirTemp("", "netnscheck-proof-"); err == nil {
		err = os.Chmod(scratch, 0o755)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	status := m.Run()
	os.RemoveAll(scratch)
	os.Exit(status)
}

var built = sync.OnceValues(func() (string, error) {
	path := filepath.Join(scratch, "bin", "harness")
	cmd := exec.Command("go", "build", "-o", path, "netnscheck/harness")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if output, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build the harness: %w\n%s", err, output)
	}
	return path, nil
})

// theProgram builds the program, once for all tests.
func theProgram(t testing.TB) string {
	t.Helper()
	if testing.Short() {
		t.Skip("-short: it builds the program and runs it")
	}
	for _, name := range []string{"bash", "ip", "ping"} {
		if err := program.Installed(scenario.Command{Argv: []string{name}}); err != nil {
			sandbox.Lacking(t, err)
		}
	}
	path, err := built()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// ordinary is the id of a user who owns nothing.
const ordinary = 31337

// asEach runs a test as the user who runs the tests and, if that is root, as an ordinary user too.
func asEach(t *testing.T, test func(t *testing.T, uid int)) {
	theProgram(t)
	users := map[string]int{"as the user of the tests": os.Geteuid()}
	if os.Geteuid() == 0 {
		users["as an ordinary user"] = ordinary
	}
	for name, uid := range users {
		t.Run(name, func(t *testing.T) { t.Parallel(); test(t, uid) })
	}
}
