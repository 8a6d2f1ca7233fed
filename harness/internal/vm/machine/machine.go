// Package machine runs a kernel in a virtual machine, from outside: it starts qemu, reads what the guest says on its
// ports, and tells how it ended, in one class with its evidence. A panic is never a pass, and only a guest's own exit
// record is one. The command line may import it. It trusts nothing that comes out of a guest, gives it no network, and
// leaves no process behind.
package machine

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"time"

	"netnscheck/harness/internal/kernelfault"
	"netnscheck/harness/internal/vm/qemu"
	"netnscheck/harness/internal/vm/wire"
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
	// Limit is how long the harness may run, Quiet how long it may tell nothing, both by the guest's clock; 0 for no
	// limit, and for DefaultQuiet.
	Limit, Quiet time.Duration
	// Cases is how many cases it plays, as far as they are planned outside: a guest that tells of more lies.
	Cases int
	// Folder is where the evidence is kept: the console's log and the files of the guest. It is made. With Keep the
	// initramfs is kept there, too, which Command needs.
	Folder string
	Keep   bool

	patience *patience // nil for patient
}

// Event is what a run tells while it goes on. One of its fields is set. Texts are printable. Cases that were planned
// and of whose end no event tells were not run.
type Event struct {
	Ready  *wire.Ready  // the guest is up, and the harness starts
	Begin  *Place       // a case begins
	Case   *Case        // a case has ended
	Output string       // a piece of what the harness printed
	Run    *reports.Run // what a finished run reports besides its cases: properties, problems, what is left out
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

// Class is how a guest ended: of what its kernel complained, or one of those that only a guest has.
type Class = kernelfault.Class

// The classes, the worst first: where several are true, an End has the first of them.
const (
	NotStarted  Class = "could not start" // qemu or the kernel did not get as far as the harness
	OutOfMemory       = kernelfault.OutOfMemory
	Oops              = kernelfault.Oops
	Bug               = kernelfault.Bug
	Panic             = kernelfault.Panic
	Hang              = kernelfault.Hang
	NoResult    Class = "no result" // it ended without an exit record, or told what makes no sense
	Warn              = kernelfault.Warn
	Taint       Class = "taint" // what the kernel had no taint for before the run
	Failed      Class = "failed"
	Passed      Class = "passed"
)

// End is how a guest ended.
type End struct {
	Class  Class
	Words  string // what happened, for people: a sentence without a full stop
	Status int    // of the harness; -1 if it is not known
	// Refused means that qemu ended by itself before the kernel printed a word: this machine, or the kernel's file.
	Refused bool
	// Faults is what the kernel complained of, in the order of the console. Some do not matter to the class: what was
	// there before the harness started, and stalls of a guest in real time, which the load of this machine can cause.
	Faults []kernelfault.Fault
	// Ready is what the guest told when the harness started, nil if it did not get that far.
	Ready *wire.Ready
	// Exit is the exit record, nil if there was none.
	Exit *wire.Exit
	// Took is the time from the start of qemu to its end.
	Took time.Duration
	// Console is the file of the console's log; Evidence are the files that came out of the guest.
	Console  string
	Evidence []string
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

// Terminal is the user's own terminal, which the guest has while it runs (session/terminal.Terminal).
type Terminal interface {
	io.ReadWriter
	Size() (rows, columns uint16)
	Take() error
	Give()
	OnResize(func(rows, columns uint16)) (stop func())
}

// Run starts the guest, tells what it reports, and waits for its end. The error is a *CannotError if qemu could not be
// started, or says that ctx has ended; what is known then is in End all the same.
func Run(ctx context.Context, g Guest, told func(Event)) (End, error) { return run(ctx, g, nil, told) }

// Shell is Run with the harness on the user's terminal instead of in frames. Its time is real: a virtual clock would
// race while nobody types.
func Shell(ctx context.Context, g Guest, t Terminal) (End, error) {
	g.Virtual = false
	return run(ctx, g, t, func(Event) {})
}

func run(ctx context.Context, g Guest, t Terminal, told func(Event)) (End, error) {
	if err := g.place(t); err != nil {
		return End{Class: NotStarted, Words: err.Error(), Status: -1}, err
	}
	if !g.Keep {
		defer os.Remove(filepath.Join(g.Folder, initrdFile))
	}
	p, err := qemu.Start(t != nil, g.arguments()...)
	if err != nil {
		err = &CannotError{Cause: err}
		return End{Class: NotStarted, Words: err.Error(), Status: -1}, err
	}
	return attend(ctx, p, newWitness(&g, told), t, &g)
}
