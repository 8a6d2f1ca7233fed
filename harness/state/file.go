package state

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
)

// FileVersion is the version of the file format of a state. It grows when a program that knows only the older format
// would misread the newer one. Files without a version predate it and are read as version 1.
const FileVersion = 1

// file is a state in a file: the version of the format and the program that wrote it, then the state itself.
type file struct {
	Version *int   `json:"version"`
	Program string `json:"program"`
	plain
}

// plain is a State without its methods.
type plain State

// Encode is the text of a file with a state; program is the name and version of the program that writes it.
func Encode(s *State, program string) ([]byte, error) {
	version := FileVersion
	text, err := json.MarshalIndent(file{&version, program,
		plain(mapStrings(reflect.ValueOf(*s), escape).Interface().(State))}, "", " ")
	return append(text, '\n'), err
}

// Decode reads what Encode wrote. It refuses newer versions and unknown fields: ignoring a field could change the
// meaning of the rest.
func Decode(text []byte) (*State, error) {
	var by struct {
		Version *int
		Program string
	}
	if err := json.Unmarshal(text, &by); err != nil {
		return nil, inLine(text, err)
	}
	switch v := by.Version; {
	case v != nil && *v > FileVersion:
		return nil, fmt.Errorf("%s; this program reads versions up to %d", written(by.Program, v), FileVersion)
	case v != nil && *v < 1:
		return nil, fmt.Errorf("there is no version %d of states; this program reads versions up to %d", *v,
			FileVersion)
	}
	var f file
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&f); err != nil {
		if field, unknown := strings.CutPrefix(err.Error(), "json: unknown field "); unknown {
			return nil, fmt.Errorf("this program, which reads versions up to %d, knows no field %s; %s", FileVersion,
				field,
				written(by.Program, by.Version))
		}
		return nil, inLine(text, err)
	}
	s := mapStrings(reflect.ValueOf(State(f.plain)), unescape).Interface().(State)
	return &s, nil
}

// written describes the writer of a file, as far as it is known.
func written(program string, version *int) string {
	by := "an unknown program"
	if program != "" {
		by = fmt.Sprintf("%q", program)
	}
	if version == nil {
		return fmt.Sprintf("the state has no version and was written by %s", by)
	}
	return fmt.Sprintf("the state has version %d and was written by %s", *version, by)
}

// inLine adds the line of a JSON error, if it is known.
func inLine(text []byte, err error) error {
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	var offset int64
	switch {
	case errors.As(err, &syntax):
		offset = syntax.Offset
	case errors.As(err, &kind):
		offset = kind.Offset
	default:
		return err
	}
	return fmt.Errorf("line %d: %w", 1+bytes.Count(text[:min(int(offset), len(text))], []byte("\n")), err)
}
