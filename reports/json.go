package reports

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
)

// Version is the version of the JSON format. It is incremented when readers of the old format would misunderstand the
// new one.
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
	err := e.Encode(document{Version, r})
	return b.Bytes(), err
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
