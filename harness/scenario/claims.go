package scenario

import (
	"netnscheck/harness/claim"
	"netnscheck/harness/state"
)

// HostName is the name by which a check calls the lab's host namespace.
const HostName = state.Host

// Claim is the meaning of a check; package claim has them all.
type Claim = claim.Claim

// ParseClaim reads the sentence of a check, its arguments in code spans (`testns` has the interface `lo`). The error of
// an unknown sentence names the nearest form; that of a known form with a wrong argument what was expected there.
func ParseClaim(text string) (Claim, error) { return claim.Parse(text) }
