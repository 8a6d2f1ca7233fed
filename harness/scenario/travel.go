package scenario

import "encoding/json"

// A Scenario is passed between processes as JSON, already parsed and without its source. A claim is passed as its
// sentence.

// UnmarshalJSON reads a check, and parses its claim from the sentence.
func (c *Check) UnmarshalJSON(text []byte) error {
	type plain Check
	if err := json.Unmarshal(text, (*plain)(c)); err != nil {
		return err
	}
	claim, err := ParseClaim(c.Text)
	c.Claim = claim
	return err
}
