package machine

import (
	"fmt"
	"slices"
	"strings"

	"netnscheck/harness/internal/kernelfault"
	"netnscheck/harness/internal/vm/wire"
)

// observation is all that the end of a guest is judged by.
type observation struct {
	*witness
	faults  []kernelfault.Fault
	console bool   // it has printed something
	virtual bool   // in virtual time
	hang    string // why it was ended from outside, "" if it was not
	qemu    string // how qemu ended, "" if as usual
}

// judge names the class of an end. An end is a pass only by an exit record of status 0 of a guest about which neither
// its kernel nor qemu nor this process has anything to say.
func judge(o observation) End {
	end := End{Status: -1, Faults: o.faults, Ready: o.ready, Exit: o.exit}
	if o.exit != nil {
		end.Status = o.exit.Status
	}
	end.Refused = o.ready == nil && o.exit == nil && o.qemu != "" && !o.console && o.hang == ""
	end.Class, end.Words = o.broken()
	if fault := o.worst(); fault != nil && (end.Class == "" || rank(fault.Class) < rank(end.Class)) {
		end.Class, end.Words = fault.Class, fault.Words()
	}
	if end.Class == "" {
		end.Class, end.Words = o.verdict()
	}
	return end
}

// ranks are the classes, the worst first.
var ranks = []Class{NotStarted, OutOfMemory, Oops, Bug, Panic, Hang, NoResult, Warn, Taint, Failed, Passed}

func rank(c Class) int { return slices.Index(ranks, c) }

// broken is the class of an end that was not the harness's own, "" if it was.
func (o *observation) broken() (Class, string) {
	switch {
	case o.ready == nil && o.noInit() != "":
		return NotStarted, o.noInit()
	case o.ready == nil && o.exit != nil:
		return NotStarted, "the guest could not be prepared: " + o.exit.Trouble
	case o.ready == nil && o.qemu != "":
		return NotStarted, o.qemu
	case o.ready == nil && !o.console:
		return NotStarted, "the kernel printed nothing: it is none for this machine, or has no serial console"
	case o.hang != "":
		return Hang, o.hang
	case o.violation != nil:
		return NoResult, fmt.Sprintf("the guest sent %v", o.violation)
	case o.exit == nil && o.qemu != "":
		return NoResult, o.qemu
	case o.exit == nil:
		return NoResult, "the guest ended without an exit record"
	case o.exit.Limit != "":
		return Hang, "the harness was ended: " + o.exit.Limit
	case o.exit.Trouble != "":
		return NoResult, o.exit.Trouble
	}
	return "", ""
}

// noInit says that the kernel works but found nothing to start (init/main.c, init/do_mounts.c), and "" otherwise.
func (o *observation) noInit() string {
	for _, f := range o.faults {
		for _, words := range []string{"Unable to mount root fs", "No working init found", "Requested init"} {
			if f.Class == Panic && strings.Contains(f.Title, words) {
				return "the kernel found no init that it can start in the initramfs: " + f.Title
			}
		}
	}
	return ""
}

// worst is the fault that counts most, nil if none counts.
func (o *observation) worst() *kernelfault.Fault {
	var worst *kernelfault.Fault
	for i := range o.faults {
		f := &o.faults[i]
		switch {
		case f.Class == Hang && (o.exit != nil && !o.virtual || o.hang != ""):
			continue // the load of this machine can cause it; or it is evidence of the hang
		case o.hang != "" && strings.Contains(f.Title, "NMI: Not continuing"):
			continue // by the interrupt from outside (arch/x86/kernel/nmi.c)
		case atBoot(f, o.ready):
			continue
		}
		if worst == nil || rank(f.Class) < rank(worst.Class) {
			worst = f
		}
	}
	return worst
}

// atBoot reports whether a fault is a warning from before the harness started: it is told, and fails nothing.
func atBoot(f *kernelfault.Fault, r *wire.Ready) bool {
	return f.Class == Warn && r != nil && f.Uptime > 0 && f.Uptime < r.Uptime
}

// verdict is the class of a guest that ran to its end.
func (o *observation) verdict() (Class, string) {
	more := o.exit.Taint &^ o.ready.Taint
	if !o.virtual {
		more &^= kernelfault.SoftLockup // the load of this machine can cause it
	}
	if more != 0 {
		return Taint, "the kernel was tainted during the run: " + kernelfault.TaintWords(more)
	}
	if o.exit.Status != 0 {
		return Failed, fmt.Sprintf("the harness ended with status %d", o.exit.Status)
	}
	return Passed, "passed"
}

// TaintBefore tells which taints the kernel had before the harness started, "" for none.
func (e *End) TaintBefore() string {
	if e.Ready == nil {
		return ""
	}
	return kernelfault.TaintWords(e.Ready.Taint)
}

// BootWarnings are the first lines of the warnings from before the harness started, which do not matter to the class.
func (e *End) BootWarnings() (titles []string) {
	for i := range e.Faults {
		if f := &e.Faults[i]; atBoot(f, e.Ready) {
			titles = append(titles, f.Words())
		}
	}
	return titles
}
