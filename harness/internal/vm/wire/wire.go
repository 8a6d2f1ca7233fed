// Package wire is what a guest and the process outside that runs it say to each other: the request in the guest's
// initramfs, and frames on its second serial port, one JSON object a line. It is pure. internal/vm/{guest,machine} and
// the writer of images may import it; it never opens, reads or writes anything.
package wire

import (
	"encoding/json"
	"time"
)

// Paths in a guest's initramfs.
const (
	// ModulesFile lists the kernel modules to load, in their order: a line for each with the path of its file and its
	// parameters. A line that begins with "?" is of a module that may fail.
	ModulesFile = "/etc/netnscheck/modules"
	// DemandFile lists what to load when the kernel asks for a module by starting /sbin/modprobe: a line for each alias,
	// with _ for -, and the paths of files in their order, marked in the same way.
	DemandFile = "/etc/netnscheck/demand"
	// RequestFile is the Request. This program is the guest's init only if it is there.
	RequestFile = "/netnscheck/request.json"
	// Results is the folder whose files come out as evidence, bounded by EvidenceSize.
	Results = "/netnscheck/results"
)

// FrameSize limits a frame, in bytes; EventSize an event in it; EvidenceSize what comes out of the folder Results.
const (
	FrameSize    = 1 << 20
	EventSize    = FrameSize - 1<<10
	EvidenceSize = 16 << 20
)

// Events is the file to which the harness in a guest writes its events: run … --report events=/dev/fd/3.
const Events = "/dev/fd/3"

// Request is what a guest has to do.
type Request struct {
	// Args are those of the harness, without its name.
	Args []string `json:"args"`
	// User runs it as an ordinary user instead of root.
	User bool `json:"user,omitempty"`
	// Terminal connects it to the terminal outside, by the fourth serial port. Without it, what it prints is framed.
	Terminal *Size `json:"terminal,omitempty"`
	// Limit is how long it may run, Quiet how long it may tell nothing, both by the guest's clock; 0 for no limit.
	Limit time.Duration `json:"limit,omitempty"`
	Quiet time.Duration `json:"quiet,omitempty"`
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

// Order is what the process outside sends after the request: the terminal has another size.
type Order struct {
	Size *Size `json:"size,omitempty"`
}

// Frame is what a guest tells. One of its fields is set.
type Frame struct {
	Ready  *Ready          `json:"ready,omitempty"`  // first of all: the harness is started now
	Alive  time.Duration   `json:"alive,omitempty"`  // every Beat: the guest's clock
	Event  json.RawMessage `json:"event,omitempty"`  // a line that the harness wrote to Events (reports.Event)
	Output string          `json:"output,omitempty"` // what it printed, in pieces
	Exit   *Exit           `json:"exit,omitempty"`   // the last frame
}

// Beat is the interval of a guest's signs of life, by its own clock.
const Beat = time.Second

// Ready is what a guest is when the harness starts.
type Ready struct {
	Release string        `json:"release"` // of the kernel, as uname -r tells it
	Uptime  time.Duration `json:"uptime"`
	// Taint is /proc/sys/kernel/tainted after the modules were loaded: what the run itself does not cause.
	Taint uint64 `json:"taint,omitempty"`
	// Lacking are the modules that could not be loaded, and other lines on what could not be prepared.
	Lacking []string `json:"lacking,omitempty"`
}

// Exit is how the harness in a guest has ended.
type Exit struct {
	Status int `json:"status"` // 128 and the signal's number if a signal ended it
	// Limit says which limit ended it, "" if none did. It is Limit or Quiet of the request, in words.
	Limit  string        `json:"limit,omitempty"`
	Uptime time.Duration `json:"uptime"`
	Taint  uint64        `json:"taint,omitempty"`
	// Trouble is why the harness could not be run, or its results not be kept.
	Trouble string `json:"trouble,omitempty"`
}
