package evidence

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// Version is the version of the form of a case file.
const Version = 1

// Program is the name of the program that writes a case file.
const Program = "netnscheck"

// Case says how a case was played: what it takes to play it again, and the facts of the machine.
type Case struct {
	Version int    `json:"version"`
	Program string `json:"program"` // that wrote the folder, with its version
	ID      string `json:"case"`
	Driver  string `json:"driver"`
	Name    string `json:"name"`
	Outcome string `json:"outcome"`
	// File is the name that the file of the scenario had, Sum the SHA-256 sum of its text.
	File string `json:"file"`
	Sum  string `json:"sha256"`
	// Variables are the values of the scenario's variables. Taken tells of features whether blocks take them for
	// present (--with, --without).
	Variables map[string]string `json:"variables,omitempty"`
	Taken     map[string]bool   `json:"taken,omitempty"`
	Seed      int64             `json:"seed"`
	// StrictOutput is that of the run (--strict-output).
	StrictOutput bool `json:"strict_output,omitempty"`
	// Machine are facts: kernel, iproute2 and so on.
	Machine map[string]string `json:"machine"`
}

// Encode is the text of a case file for a scenario with this text.
func (c Case) Encode(text string) ([]byte, error) {
	c.Version, c.Sum = Version, sum(text)
	var b bytes.Buffer
	to := json.NewEncoder(&b)
	to.SetEscapeHTML(false)
	to.SetIndent("", "  ")
	err := to.Encode(c)
	return b.Bytes(), err
}

// DecodeCase reads what Encode wrote, and checks that the text of the scenario belongs to it.
func DecodeCase(file, text []byte) (*Case, error) {
	var by struct {
		Version int
		Program string
	}
	if err := json.Unmarshal(file, &by); err != nil {
		return nil, fmt.Errorf("read %s: %w", CaseFile, err)
	}
	if by.Version != Version {
		return nil, fmt.Errorf("read %s: it has version %d, written by %q, and this program knows version %d", CaseFile,
			by.Version, by.Program, Version)
	}
	c := &Case{}
	from := json.NewDecoder(bytes.NewReader(file))
	from.DisallowUnknownFields()
	if err := from.Decode(c); err != nil {
		return nil, fmt.Errorf("read %s: %w", CaseFile, err)
	}
	switch {
	case c.ID == "" || c.Driver == "" || c.File == "":
		return nil, fmt.Errorf("read %s: it does not say which case it is about", CaseFile)
	case c.Sum != sum(string(text)):
		return nil, errors.New("read " + Scenario + ": it is not the text that was played")
	}
	return c, nil
}

// Wrote reports whether a case file is one of a case with this id that a program of ours wrote, of any version.
func Wrote(file []byte, id string) bool {
	var by struct {
		Program string
		ID      string `json:"case"`
	}
	return json.Unmarshal(file, &by) == nil && strings.HasPrefix(by.Program, Program+" ") && by.ID == id
}

func sum(text string) string {
	s := sha256.Sum256([]byte(text))
	return hex.EncodeToString(s[:])
}
