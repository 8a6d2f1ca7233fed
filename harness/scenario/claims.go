package scenario

import (
	"netnscheck/harness/claim"
	"netnscheck/harness/state"
)

// HostName is the name of a lab's host namespace in checks.
const HostName = state.Host

// Claim is the meaning of a check. The concrete types are in package claim.
type Claim = claim.Claim

// ParseClaim reads the sentence of a check, with its arguments in code spans (`testns` has the interface `lo`). The
// error for an unknown sentence has the nearest form, that for a bad argument the expected kind.
func ParseClaim(text string) (Claim, error) { return claim.Parse(text) }
