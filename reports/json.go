package reports

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
)

// Version is the version of the JSON format, whose schema is docs/schema/run-1.json. It is incremented when readers of
// the old format would misunderstand the new one: when something is renamed, dropped or means something else. A new
// field, or a new outcome, is none of that: readers pass over fields that they do not know, and take an outcome that
// they do not know for an error, as Counts does.
const Version = 1

type document struct {
	Version int `json:"version"`
	*Run
}

// newJSON is the sink for JSON: the whole run as a value for programs, which ReadJSON reads.
func newJSON(out io.Writer, _ Options) Sink {
	return atEnd(func(r *Run) error {
		text, err := encodeJSON(r)
		if err != nil {
			return err
		}
		back, err := decodeJSON(bytes.NewReader(text))
		if err != nil {
			return err
		}
		if again, err := encodeJSON(back); err != nil || !bytes.Equal(text, again) {
			return errNotTheRun
		}
		_, err = out.Write(text)
		return err
	})
}

// ReadJSON reads a run from a JSON report.
func ReadJSON(path string) (*Run, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read the report: %w", err)
	}
	r, err := decodeJSON(bytes.NewReader(text))
	if err != nil {
		return nil, fmt.Errorf("read the report %s: %w", path, err)
	}
	return r, nil
}

func encodeJSON(r *Run) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	err := e.Encode(document{Version, r.withLists()})
	return b.Bytes(), err
}

// withLists is the run with an empty list in the place of each that is nil, since null is no list.
func (r *Run) withLists() *Run {
	out := *r
	out.Properties = append([]Property{}, r.Properties...)
	out.Suites = append([]Suite{}, r.Suites...)
	for i := range out.Suites {
		out.Suites[i].Cases = append([]Case{}, out.Suites[i].Cases...)
	}
	out.Guests = slices.Clone(r.Guests)
	for i := range out.Guests {
		out.Guests[i].Properties = append([]Property{}, out.Guests[i].Properties...)
	}
	return &out
}

func decodeJSON(in io.Reader) (*Run, error) {
	d := document{Run: &Run{}}
	if err := json.NewDecoder(in).Decode(&d); err != nil {
		return nil, fmt.Errorf("it is no JSON report: %w", err)
	}
	if d.Version != Version {
		return nil, fmt.Errorf("it has version %d, this program knows version %d", d.Version, Version)
	}
	return d.Run, nil
}
