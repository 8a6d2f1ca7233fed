package reports

import "testing"

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
