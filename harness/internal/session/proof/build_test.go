package proof_test

import (
	"flag"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"netnscheck/harness/internal/labtest"
)

var update = flag.Bool("update", false, "write the golden text and the pictures anew")

// scratch is a folder for the program, which other users may enter.
var scratch string

func TestMain(m *testing.M) {
	labtest.MostlyWaiting()
	os.Exit(labtest.InFolder(m, &scratch))
}

var built = sync.OnceValues(func() (string, error) { return labtest.Build(filepath.Join(scratch, "bin")) })

// theProgram builds the program, once for all tests.
func theProgram(t testing.TB) string {
	t.Helper()
	if testing.Short() {
		t.Skip("-short: it builds the program and runs it")
	}
	labtest.Needs(t, "bash", "ip", "ping")
	path, err := built()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// asEach runs a test as each user (labtest.EachUser).
func asEach(t *testing.T, test func(t *testing.T, uid int)) {
	theProgram(t)
	labtest.EachUser(t, test)
}
