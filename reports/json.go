package reports

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
)

// Version is the version of the JSON form. It grows when a reader of the old one would misunderstand the new one.
const Version = 1

type document struct {
	Version int `json:"version"`
	*Run
}

// WriteJSON writes the run to a file, whole or not at all, and reads it back.
func WriteJSON(path string, r *Run) error {
	text, err := encodeJSON(r)
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	if err := WriteFile(path, text); err != nil {
		return err
	}
	back, err := ReadJSON(path)
	if err != nil {
		return fmt.Errorf("read the report back: %w", err)
	}
	again, err := encodeJSON(back)
	if err != nil || !bytes.Equal(text, again) {
		return fmt.Errorf("read %s back: it is not the run that was written", path)
	}
	return nil
}

// ReadJSON reads a run that WriteJSON has written.
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
		return nil, err
	}
	if d.Version != Version {
		return nil, fmt.Errorf("it has version %d, this program knows version %d", d.Version, Version)
	}
	return d.Run, nil
}
