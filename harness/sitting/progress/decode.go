package progress

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// A NewerError is the error for a file that a newer version of this program has written.
type NewerError struct{ Version int }

func (e *NewerError) Error() string {
	return fmt.Sprintf("the file has version %d, and this program knows version %d: use a newer one", e.Version,
		version)
}

// Decode reads a file. It takes nothing that Encode would not have written but for blanks and the order of keys: a file
// of another kind, an unknown key, a value out of bounds and a wrong checksum are errors. The checksum is against
// accidents, not against forgery: nothing in a file proves that the work was done.
func Decode(text []byte) (*File, error) {
	f, sum, err := decode(text)
	if err == nil && sum != fingerprint(f.body()) {
		err = errors.New("the checksum is not that of the file: it is damaged, or was changed")
	}
	if err != nil {
		return nil, fmt.Errorf("read the progress: %w", err)
	}
	return f, nil
}

// decode reads a file and the checksum in it.
func decode(text []byte) (f *File, sum string, err error) {
	switch {
	case len(text) > MaxSize:
		return nil, "", fmt.Errorf("the file has more than %d MiB", MaxSize>>20)
	case len(bytes.TrimSpace(text)) == 0:
		return nil, "", errors.New("the file is empty")
	case !utf8.Valid(text):
		return nil, "", errors.New("the file is not UTF-8")
	}
	if elements, values := counts(text); elements > maxEntries+2*maxSteps || values > maxFields*maxEntries {
		return nil, "", errors.New("it has more steps, variables or entries of the log than a lab writes")
	}
	var kind struct {
		Format  string `json:"format"`
		Version int    `json:"version"`
	}
	switch err := json.Unmarshal(text, &kind); {
	case err != nil:
		return nil, "", faultOf(text, err)
	case kind.Format != format:
		return nil, "", errors.New("it is no progress file of a lab")
	case kind.Version > version:
		return nil, "", &NewerError{kind.Version}
	case kind.Version != version:
		return nil, "", fmt.Errorf("there is no version %d of progress files", kind.Version)
	}
	var all struct {
		head
		Steps []Step  `json:"steps"`
		Log   []Entry `json:"log"`
		Sum   string  `json:"sum"`
	}
	all.File = &File{}
	from := json.NewDecoder(bytes.NewReader(text))
	from.DisallowUnknownFields()
	if err := from.Decode(&all); err != nil {
		return nil, "", faultOf(text, err)
	}
	if _, err := from.Token(); err != io.EOF {
		return nil, "", errors.New("there is text after the JSON value")
	}
	f = all.File
	f.Steps, f.Log = all.Steps, all.Log
	return f, all.Sum, f.validate()
}

// maxFields is how many values an entry of a log has at most.
const maxFields = 16

// counts are how many values a JSON text has, and how many of them are elements of what is in it, such as the entries
// of the log. As values in memory they may take a hundred times the room that they have in the text.
func counts(text []byte) (elements, values int) {
	depth, quoted := 0, false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{', c == '[':
			depth++
			values++
		case c == '}', c == ']':
			depth--
		case c == ',':
			values++
			if depth == 2 {
				elements++
			}
		}
	}
	return elements, values
}

// faultOf is an error of JSON with the line that it is in.
func faultOf(text []byte, err error) error {
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	at := int64(-1)
	switch {
	case errors.As(err, &syntax):
		at = syntax.Offset
	case errors.As(err, &kind):
		at = kind.Offset
		err = fmt.Errorf("%s is a %s", kind.Field, kind.Value)
	}
	message := strings.TrimPrefix(err.Error(), "json: ")
	if at < 0 {
		return errors.New(message)
	}
	line := 1 + bytes.Count(text[:min(at, int64(len(text)))], []byte("\n"))
	return fmt.Errorf("line %d: %s", line, message)
}

var (
	id   = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)
	hash = regexp.MustCompile(`^` + hashName + `[0-9a-f]{64}$`)
)

// validate reports the first value that is out of bounds.
func (f *File) validate() error {
	if f.Challenge != nil {
		c := *f.Challenge
		if !within(c.Faults, maxNumber) || !within(c.Level, maxNumber) || !isText(c.Seed, maxLine) {
			return errors.New("the challenge is out of bounds")
		}
	}
	switch {
	case !id.MatchString(f.Scenario) || len(f.Scenario) > 100:
		return errors.New("the scenario is no id")
	case !hash.MatchString(f.Text):
		return fmt.Errorf("the text of the scenario is no %s… of it", hashName)
	case !isText(f.Seed, maxLine) || len(f.Variables) > maxSteps:
		return errors.New("the variables are out of bounds")
	case !within(f.Dropped, maxNumber):
		return errors.New("a number is out of bounds")
	case len(f.Steps) == 0 || len(f.Steps) > maxSteps:
		return fmt.Errorf("it has %d steps, expected 1 to %d", len(f.Steps), maxSteps)
	case len(f.Log) > maxEntries:
		return fmt.Errorf("the log has more than %d entries", maxEntries)
	}
	for _, name := range slices.Sorted(maps.Keys(f.Variables)) {
		if !isText(name, maxTitle) || !isText(f.Variables[name], maxLine) ||
			strings.ContainsAny(f.Variables[name], "\r\n") {
			return errors.New("a variable is out of bounds")
		}
	}
	for i, s := range f.Steps {
		if !isText(s.Title, maxTitle) || !within(s.Hints, maxHints) || !within(s.Reasons, maxNumber) {
			return fmt.Errorf("step %d is out of bounds", i+1)
		}
	}
	for i, e := range f.Log {
		if err := e.validate(len(f.Steps)); err != nil {
			return fmt.Errorf("entry %d of the log: %w", i+1, err)
		}
	}
	return nil
}

func (e Entry) validate(steps int) error {
	switch {
	case e.Step < 1 || e.Step > steps+1:
		return fmt.Errorf("there is no step %d", e.Step)
	case !within(e.Terminal, maxNumber):
		return errors.New("the terminal is out of bounds")
	case e.Do != "" && !slices.Contains(acts, e.Do):
		return fmt.Errorf("there is no act %.40q", e.Do)
	case e.Do != "" && (e.Line != "" || e.Status != 0 || e.Cut || len(e.Told) > 0):
		return errors.New("it is a command and an act, expected one of them")
	case !isText(e.Line, maxLine) || !isText(e.Netns, maxName):
		return errors.New("a text is too long or not UTF-8")
	case len(e.Told) > maxTold || slices.ContainsFunc(e.Told, func(s string) bool { return !isText(s, maxTelling) }):
		return errors.New("it tells too much, or no UTF-8")
	case e.Status < NoStatus || e.Status > maxStatus:
		return errors.New("the exit status is out of bounds")
	}
	return nil
}

func within(n, limit int) bool { return n >= 0 && n <= limit }

func isText(s string, size int) bool { return len(s) <= size && utf8.ValidString(s) }
