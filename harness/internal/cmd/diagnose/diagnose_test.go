package diagnose

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode"

	"netnscheck/harness/diagnose"
	"netnscheck/harness/diagnose/causes"
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

// TestMisspeltNamespace: if a similar name exists, adding a namespace with the misspelt one is not proposed as a
// repair.
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

// TestThePathInASCII: in the locale C the marks of the path are ASCII characters.
func TestThePathInASCII(t *testing.T) {
	path := slices.Repeat([]diagnose.Hop{{Netns: "host", Link: "br0", Decision: "forwards"}}, 14)
	path[13].Stop = true
	down := diagnose.Cause{Name: causes.LinkDown, Netns: "host", Link: "br0"}
	j := judgement{report: &diagnose.Report{Query: diagnose.Query{From: "host"}, Path: path, Cause: &down,
		Also: []diagnose.Cause{down, down, down, down}}}
	for ascii, want := range map[bool][]string{
		true:  {"\n     ... 2 more hops\n", "\n  x  host  br0", ", ... (4)\n"},
		false: {"\n     … 2 more hops\n", "\n  ×  host  br0", ", … (4)\n"},
	} {
		var out bytes.Buffer
		s := screen.Plain(&out, &out, false)
		s.ASCII = ascii
		if err := j.print(s.Sheet()); err != nil {
			t.Fatal(err)
		}
		for _, w := range want {
			if !strings.Contains(out.String(), w) {
				t.Errorf("ASCII %v: no %q in\n%s", ascii, w, out.String())
			}
		}
		if i := strings.IndexFunc(out.String(), func(r rune) bool { return r > unicode.MaxASCII }); ascii && i >= 0 {
			t.Errorf("%.9q is not ASCII in\n%s", out.String()[i:], out.String())
		}
	}
}
