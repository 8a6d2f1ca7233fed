package reports

import "fmt"

// Saved is a report that was read from a file.
type Saved struct {
	File string
	*Run
}

// ReadFinished reads a JSON report of a run that has ended, whatever came of it. Its errors name the file, and tell a
// report of a run that was killed from what is no report.
func ReadFinished(path string) (Saved, error) {
	r, err := ReadJSON(path)
	switch {
	case err != nil:
		return Saved{}, err
	case r.Unfinished:
		return Saved{}, fmt.Errorf("read the report %s: its run did not finish: it was killed, or it goes on", path)
	case r.Suites == nil:
		return Saved{}, fmt.Errorf("read the report %s: it is no report of a run: it has no suites", path)
	}
	return Saved{path, r}, nil
}
