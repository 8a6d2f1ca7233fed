package reports

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestReadFinished: what is no report, and a report of a run that did not finish, are told apart.
func TestReadFinished(t *testing.T) {
	path := filepath.Join(t.TempDir(), "results.json")
	r := sample()
	for i := range r.Suites {
		for j := range r.Suites[i].Cases {
			r.Suites[i].Cases[j].Clean()
		}
	}
	finish(t, "json", path, r)
	if r, err := ReadFinished(path); err != nil || r.File != path || len(r.Suites) != 2 {
		t.Fatalf("%v, %+v", err, r)
	}
	finish(t, "json", path, unfinished())
	if _, err := ReadFinished(path); err == nil ||
		err.Error() != "read the report "+path+": its run did not finish: it was killed, or it goes on" {
		t.Errorf("of an unfinished report it says %v", err)
	}
	for text, want := range map[string]string{
		"<xml/>":          "it is no JSON report: invalid character '<'",
		`{"version":1}`:   "it is no report of a run: it has no suites",
		`{"version":2}`:   "it has version 2, this program knows version 1",
		`{"changes":[]}`:  "it has version 0",
		`{"version":"1"}`: "it is no JSON report: json: cannot unmarshal string",
	} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := ReadFinished(path); err == nil || !strings.Contains(err.Error(), path+": "+want) {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
}
