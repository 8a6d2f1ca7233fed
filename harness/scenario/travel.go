package scenario

import "encoding/json"

// A Scenario travels from process to process as JSON, without its source: who reads it is handed what was parsed. A
// claim, which may be of any type, travels as its sentence.

// UnmarshalJSON reads a check, and its claim from the sentence.
func (c *Check) UnmarshalJSON(text []byte) error {
	type plain Check
	if err := json.Unmarshal(text, (*plain)(c)); err != nil {
		return err
	}
	claim, err := ParseClaim(c.Text)
	c.Claim = claim
	return err
}
