// Package machine runs a kernel in a virtual machine, from outside: it starts qemu, reads what the guest says on its
// ports, and tells how it ended, in one class with its evidence. A panic is never a pass, and only a guest's own exit
// record is one. The command line may import it. It trusts nothing that comes out of a guest, gives it no network, and
// leaves no process behind.
package machine

import (
	"context"
	"errors"
	"time"

	"netnscheck/reports"
)

// Guest is a virtual machine, and what it has to do.
type Guest struct {
	Name   string // of the kernel, as the user knows it
	Kernel string // the file of the kernel's image
	Initrd string // the initramfs
	// Files are added to the guest's files: path to content. Folders are made.
	Files map[string][]byte
	// Args are those of the harness in the guest, such as run, --driver, netlink.
	Args []string
	Env  []string // added to its environment, as NAME=value
	User bool     // run it as an ordinary user
	// Append is added to the kernel's command line.
	Append string
	Memory int // MiB; 0 for DefaultMemory
	CPUs   int // 0 for 1
	// Virtual lets the guest's clock count instructions instead of time: waiting costs nothing, and the load of the
	// host changes nothing. It needs emulation and one processor.
	Virtual bool
	// Limit is how long the harness may run by the guest's clock; 0 for no limit.
	Limit time.Duration
	// Folder is where the evidence is kept: the console's log, the files of the guest, its initramfs. It is made.
	Folder string
}

// Event is what a run tells while it goes on. One of its fields is set.
type Event struct {
	Plan   []reports.Suite // all cases that are planned, first of all
	Begin  *Place          // a case begins
	Case   *Case           // a case has ended
	Output string          // lines that the harness printed
	Run    *reports.Run    // what a finished run reports besides its cases: properties, problems, what is left out
}

// Place is a case of the plan.
type Place struct {
	Suite string // reports.Suite.Name
	Name  string // reports.Case.Name
}

// Case is a case that has ended.
type Case struct {
	Suite string // reports.Suite.Name
	reports.Case
}

// Class is how a guest ended. Where several are true, the End has the first of this order.
type Class string

// The classes.
const (
	NotStarted  Class = "could not start" // qemu or the kernel did not get as far as the harness
	Panic       Class = "panic"
	Oops        Class = "oops"
	Bug         Class = "BUG"
	OutOfMemory Class = "out of memory"
	Hang        Class = "hang"
	NoResult    Class = "no result" // it ended without an exit record
	Warn        Class = "WARN"
	Taint       Class = "taint"
	Failed      Class = "failed"
	Passed      Class = "passed"
)

// End is how a guest ended.
type End struct {
	Class  Class
	Words  string  // one sentence for people
	Status int     // of the harness; -1 if it is not known
	Faults []Fault // what the kernel complained of, in the order of the console
	Uptime time.Duration
	Took   time.Duration
	// Console is the file of the console's log; Evidence are the files that came out of the guest.
	Console  string
	Evidence []string
	// Lacking are the modules that could not be loaded.
	Lacking []string
}

// Fault is a complaint of the kernel on the console.
type Fault struct {
	Class   Class
	Title   string   // such as "general protection fault: 0000 [#1] PREEMPT SMP"
	At      string   // the function and offset where it happened, "" if it is not told
	Process string   // the process that was running, "" if it is not told
	Trace   []string // the functions of the call trace, the innermost first
	Text    string   // the lines of the console
	Line    int      // the first of them in the log, from 1
}

// CannotError means that this machine cannot run guests. Package is the Debian package to install, "" if that is not
// the reason.
type CannotError struct {
	Package string
	Cause   error
}

func (e *CannotError) Error() string {
	if e.Package != "" {
		return e.Cause.Error() + ": install " + e.Package
	}
	return e.Cause.Error()
}

func (e *CannotError) Unwrap() error { return e.Cause }

// Run starts the guest, tells what it reports, and waits for its end. The error is a *CannotError if qemu could not be
// started, or says that ctx has ended.
func Run(ctx context.Context, g Guest, told func(Event)) (End, error) {
	return End{}, &CannotError{Cause: errors.New("it is being built")}
}

// Shell is Run with the harness on this terminal instead of in frames.
func Shell(ctx context.Context, g Guest, t Terminal) (End, error) {
	return End{}, &CannotError{Cause: errors.New("it is being built")}
}

// Terminal is the user's own terminal, in raw mode while the guest has it (session/terminal.Terminal).
type Terminal interface {
	Size() (rows, columns uint16)
	Take() error
	Give()
	Read([]byte) (int, error)
	Write([]byte) (int, error)
	OnResize(func(rows, columns uint16)) (stop func())
}

// Accelerated reports whether KVM truly works here. That /dev/kvm can be opened is not enough.
func Accelerated() bool { return false }

// Command is the command of a shell that boots the guest of a folder again, with its console on the terminal.
func (g Guest) Command() string { return "" }
