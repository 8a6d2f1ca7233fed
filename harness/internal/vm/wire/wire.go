// Package wire is what a guest and the process outside that runs it say to each other: the request in the guest's
// initramfs, and frames on its second serial port, one JSON object a line. It is pure. internal/vm/{guest,machine} and
// the writer of images may import it; it never opens, reads or writes anything.
package wire

import "time"

// Paths in a guest's initramfs.
const (
	// ModulesFile lists the kernel modules to load, one path a line, each after those that it depends on.
	ModulesFile = "/netnscheck/modules"
	// RequestFile is the Request. This program is the guest's init only if it is there.
	RequestFile = "/netnscheck/request.json"
	// Results is the folder whose files come out as evidence, bounded by EvidenceSize.
	Results = "/netnscheck/results"
)

// FrameSize limits a frame, in bytes; EvidenceSize what comes out of the folder Results.
const (
	FrameSize    = 1 << 20
	EvidenceSize = 16 << 20
)

// Request is what a guest has to do.
type Request struct {
	// Args are those of the harness, without its name. The report of events is added to those that run something.
	Args []string `json:"args"`
	// User runs it as an ordinary user instead of root.
	User bool `json:"user,omitempty"`
	// Terminal connects it to the terminal outside, by the fourth serial port. Without it, what it prints is framed.
	Terminal *Size `json:"terminal,omitempty"`
	// Limit is how long it may run, by the guest's clock; 0 for no limit.
	Limit time.Duration `json:"limit,omitempty"`
	// Hostname names the guest.
	Hostname string `json:"hostname"`
	// Env is added to the environment, as NAME=value.
	Env []string `json:"env,omitempty"`
}

// Size is that of a terminal, in characters.
type Size struct {
	Rows    uint16 `json:"rows"`
	Columns uint16 `json:"columns"`
}
