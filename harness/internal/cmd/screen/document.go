package screen

import (
	"bytes"
	"encoding/json"
	"fmt"

	"netnscheck/harness/term"
)

// Document prints a value for programs: an object of JSON, with the version of its form before its own fields. Each
// form has a schema in docs/schema.
func (s *Screen) Document(version int, value any) error {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(value); err != nil {
		return err
	}
	fields, ok := bytes.CutPrefix(b.Bytes(), []byte("{"))
	if !ok || bytes.HasPrefix(fields, []byte("}")) {
		return fmt.Errorf("encode %T: it has no fields", value)
	}
	return term.WriteJSON(s.Out, json.RawMessage(fmt.Sprintf(`{"version":%d,%s`, version, fields)))
}
