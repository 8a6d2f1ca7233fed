package diagnose

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"netnscheck/harness/internal/cmd/screen"
	"netnscheck/harness/internal/cmd/status"
)

const twoNamespaces = `{"namespaces": [{"name": "host", "links": []}, {"name": "prodns", "links": []}]}`

// call diagnoses a saved state.
func call(t *testing.T, saved string, args ...string) (string, error) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "state.json")
	if err := os.WriteFile(file, []byte(saved), 0o644); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	c := Command(screen.Plain(&out, &out, false))
	c.SetArgs(append(args, "--state", file))
	c.SilenceUsage, c.SilenceErrors = true, true
	err := c.ExecuteContext(t.Context())
	return out.String(), err
}

// TestMisspeltNamespace: where a name is near, another namespace with the wrong one would be no repair.
func TestMisspeltNamespace(t *testing.T) {
	for from, want := range map[string]struct{ says, never string }{
		"prodn": {"there is no namespace prodn; the nearest name is prodns", "ip netns add"},
		"xyzzy": {"repair    ip netns add xyzzy", "nearest"},
	} {
		out, err := call(t, twoNamespaces, "--from", from, "--to", "192.0.2.1")
		if got, _ := status.Of(err); got != status.Failed || !strings.Contains(out, want.says) ||
			strings.Contains(out, want.never) {
			t.Errorf("--from %s: %v\n%s", from, err, out)
		}
	}
}
