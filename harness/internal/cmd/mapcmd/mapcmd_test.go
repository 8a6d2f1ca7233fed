package mapcmd

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"netnscheck/harness/internal/cmd/screen"
	"netnscheck/harness/internal/cmd/status"
)

const aNamespace = `{"namespaces": [{"name": "prodns", "links": [
	{"index": 1, "name": "lo", "kind": "loopback", "up": true, "carrier": true}]}]}`

// call draws a saved state.
func call(t *testing.T, ascii bool, args ...string) (string, error) {
	t.Helper()
	dir := t.TempDir()
	t.Chdir(dir)
	if err := os.WriteFile("state.json", []byte(aNamespace), 0o644); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	s := screen.Plain(&out, &out, false)
	s.ASCII = ascii
	c := Command(s)
	c.SetArgs(append(args, "--state", "state.json"))
	c.SilenceUsage, c.SilenceErrors = true, true
	err := c.ExecuteContext(t.Context())
	if left, _ := filepath.Glob("*"); len(left) != 1 {
		t.Errorf("it left the files %q", left)
	}
	return out.String(), err
}

func TestSVGOnStandardOutput(t *testing.T) {
	out, err := call(t, false, "--svg", "-")
	if err != nil || !strings.HasPrefix(out, "<svg ") || !strings.HasSuffix(out, "</svg>\n") ||
		!strings.Contains(out, "prodns") {
		t.Errorf("%v\n%s", err, out)
	}
}

func TestJSONIsNoDrawing(t *testing.T) {
	out, err := call(t, false, "--json", "--ascii")
	if got, _ := status.Of(err); got != status.Usage || out != "" ||
		!strings.Contains(err.Error(), "--json and --ascii exclude each other") {
		t.Errorf("%v\n%s", err, out)
	}
}

// TestTheLocaleChoosesTheCharacters: in the locale C it draws as with --ascii; JSON is the same everywhere.
func TestTheLocaleChoosesTheCharacters(t *testing.T) {
	asked, err1 := call(t, false, "--ascii")
	located, err2 := call(t, true)
	wide, err3 := call(t, false)
	if err1 != nil || err2 != nil || err3 != nil || located != asked || wide == asked {
		t.Errorf("%v, %v, %v\n%s\n%s\n%s", err1, err2, err3, asked, located, wide)
	}
	for _, r := range located {
		if r >= 0x80 {
			t.Errorf("%q is in\n%s", r, located)
			break
		}
	}
	here, _ := call(t, false, "--json")
	if there, err := call(t, true, "--json"); err != nil || there != here {
		t.Errorf("%v: JSON differs", err)
	}
}
