package reports

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// finish writes one report of a run to a file.
func finish(t *testing.T, format, path string, r *Run) {
	t.Helper()
	f, err := FormatNamed(format)
	if err != nil {
		t.Fatal(err)
	}
	sinks, err := Open([]Wanted{{Format: f, File: path}}, &Standard{}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := sinks.Finish(r); err != nil {
		t.Fatal(err)
	}
}

// TestLostReportIsNotNamed: the console names the reports that were written, and no other.
func TestLostReportIsNotNamed(t *testing.T) {
	dir := t.TempDir()
	kept, lost := filepath.Join(dir, "junit.xml"), filepath.Join(dir, "results.json")
	var wanted []Wanted
	for i, file := range []string{"-", kept, lost} {
		wanted = append(wanted, Wanted{Format: Formats[i], File: file})
	}
	var out strings.Builder
	sinks, err := Open(wanted, &Standard{Out: Stream{Writer: &out}}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(lost, 0o755); err != nil { // after it was seen that the file can be written
		t.Fatal(err)
	}
	if err := sinks.Finish(sample()); err == nil || !strings.Contains(err.Error(), lost) {
		t.Errorf("the lost report is no error: %v", err)
	}
	if text := out.String(); !strings.HasSuffix(text, "\nreports: "+kept+"\n") {
		t.Errorf("the console ends with %q", text[strings.LastIndex(text, "\nreports"):])
	}
}
