package progress

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// The first keys of each file.
const (
	format  = "netnscheck progress"
	version = 1
)

// head is a file without its steps, its log and its checksum.
type head struct {
	Format  string `json:"format"`
	Version int    `json:"version"`
	*File
}

// Encode is the file as JSON, with a line for each step and each entry of the log, and a checksum. An error says that
// Decode would not take it.
func (f *File) Encode() ([]byte, error) {
	if err := f.validate(); err != nil {
		return nil, fmt.Errorf("write the progress: %w", err)
	}
	text := f.body()
	text = append(text, ",\n  \"sum\": "...)
	text = append(text, encodeLine(fingerprint(f.body()))...)
	return append(text, "\n}\n"...), nil
}

// body is the file up to its checksum, which is that of the body.
func (f *File) body() []byte {
	var b bytes.Buffer
	encoder := newEncoder(&b)
	encoder.SetIndent("", "  ")
	_ = encoder.Encode(head{format, version, f}) // it has nothing that has no JSON
	b.Truncate(b.Len() - len("\n}\n"))
	b.WriteString(",\n  \"steps\": ")
	writeLines(&b, f.Steps)
	b.WriteString(",\n  \"log\": ")
	writeLines(&b, f.Log)
	return b.Bytes()
}

// writeLines writes an array with one line for each element.
func writeLines[T any](b *bytes.Buffer, all []T) {
	b.WriteByte('[')
	for i, one := range all {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString("\n    ")
		b.Write(encodeLine(one))
	}
	if len(all) > 0 {
		b.WriteString("\n  ")
	}
	b.WriteByte(']')
}

// encodeLine is a value as JSON in one line.
func encodeLine(value any) []byte {
	var b bytes.Buffer
	_ = newEncoder(&b).Encode(value)
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

// newEncoder is an encoder that leaves <, > and & of command lines readable.
func newEncoder(b *bytes.Buffer) *json.Encoder {
	encoder := json.NewEncoder(b)
	encoder.SetEscapeHTML(false)
	return encoder
}
