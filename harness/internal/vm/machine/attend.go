package machine

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"path/filepath"
	"sync"
	"time"

	"netnscheck/harness/internal/vm/qemu"
	"netnscheck/harness/internal/vm/wire"
)

// The serial ports of a guest, as internal/vm/guest uses them.
const (
	consolePort = iota
	framesPort
	evidencePort
	terminalPort
)

// patience is what a guest is waited for, in looks of a second. A look counts as far as qemu had a processor if it
// wanted one: the load of this machine, or its sleep, is no fault of the guest.
type patience struct {
	every  time.Duration
	boot   time.Duration // until the harness starts
	silent time.Duration // without a frame
	off    time.Duration // from the exit record to the end of qemu
	told   time.Duration // from the NMI to its text on the console
}

var patient = patience{every: time.Second, boot: 3 * time.Minute, silent: 45 * time.Second, off: 20 * time.Second,
	told: 5 * time.Second}

// attend reads the guest's ports until qemu ends, or is ended because the guest hangs or ctx has ended.
func attend(ctx context.Context, p *qemu.Process, w *witness, t Terminal, g *Guest) (End, error) {
	var readers sync.WaitGroup
	read := func(f func()) { readers.Add(1); go func() { defer readers.Done(); f() }() }
	read(func() { w.readConsole(p.Ports[consolePort]) })
	read(func() { w.readFrames(p.Ports[framesPort]) })
	read(func() { w.readEvidence(p.Ports[evidencePort], filepath.Join(g.Folder, evidenceFile)) })
	if t != nil {
		stop, err := connect(p, t, read)
		if err != nil {
			p.Kill()
			<-p.Ended
			readers.Wait()
			p.Close()
			w.log.end() // what qemu did until then does not matter
			return End{Class: NotStarted, Words: err.Error(), Status: -1}, &CannotError{Cause: err}
		}
		defer stop()
	}
	hang, cut := watch(ctx, p, w, cmp.Or(g.patience, &patient), g.Limit)
	took := time.Since(p.Started)
	// Nobody but qemu had the other ends.
	readers.Wait()
	p.Close()
	logErr := w.log.end()
	end := judge(observation{witness: w, faults: w.log.Faults(), console: w.log.size > 0, virtual: g.Virtual,
		hang: hang, qemu: p.How()})
	end.Took, end.Console, end.Evidence = took, w.log.path, w.evidence
	switch {
	case cut:
		return end, fmt.Errorf("interrupted: %w", context.Cause(ctx))
	case logErr != nil:
		return end, logErr
	}
	return end, w.evidenceErr
}

// connect connects the user's terminal with the guest's, until stop is called.
func connect(p *qemu.Process, t Terminal, read func(func())) (stop func(), err error) {
	if err := t.Take(); err != nil {
		return nil, fmt.Errorf("take the terminal: %w", err)
	}
	forget := t.OnResize(func(rows, columns uint16) {
		line, err := json.Marshal(wire.Order{Size: &wire.Size{Rows: rows, Columns: columns}})
		if err == nil {
			p.Ports[framesPort].Write(append(line, '\n'))
		}
	})
	go io.Copy(p.Ports[terminalPort], t) // a key that is read after the end is lost, as it is with ssh
	read(func() { io.Copy(t, p.Ports[terminalPort]) })
	return func() { forget(); t.Give() }, nil
}

// slowest is how many seconds of this machine a second of a guest may take: one that never lets its clock tell that its
// limit has passed ends all the same.
const slowest = 64

// watch waits for qemu's end, and ends it if it has to, one that lives longer than its limit allows, too: after an
// interrupt that cannot be masked, by which the kernel tells on the console where it hangs (unknown_nmi_panic). hang
// says why the guest was ended, "" if it was not; cut that ctx had ended.
func watch(ctx context.Context, p *qemu.Process, w *witness, patient *patience,
	limit time.Duration) (hang string, cut bool) {
	looks := time.NewTicker(patient.every)
	defer looks.Stop()
	c := qemu.NewClock(p.Pid)
	var booting, silent, running, leaving, poked time.Duration
	for heard := int64(0); ; {
		select {
		case <-p.Ended:
			return hang, false
		case <-ctx.Done():
			p.Kill()
			<-p.Ended
			return hang, true
		case <-looks.C:
		}
		had := c.Look()
		if now := w.heard.Load(); now != heard {
			heard, silent = now, 0
		} else {
			silent += had
		}
		if !w.up.Load() {
			booting += had
		} else {
			running += had
		}
		if w.over.Load() {
			leaving += had
		}
		switch {
		case hang != "":
			if poked += had; poked > patient.told {
				p.Kill()
			}
		case leaving > patient.off && w.lied.Load(): // it is not waited for because of that, and still runs
			p.Kill()
		case leaving > patient.off:
			hang = fmt.Sprintf("the kernel did not power off within %v", patient.off)
			p.Interrupt()
		case leaving > 0:
		case booting > patient.boot:
			hang = fmt.Sprintf("the harness was not started within %v", patient.boot)
			p.Interrupt()
		case limit > 0 && running/slowest > limit:
			hang = fmt.Sprintf("the guest did not keep its limit of %v in %d times as long", limit, slowest)
			p.Interrupt()
		case silent > patient.silent:
			hang = fmt.Sprintf("the guest gave no sign of life for %v", patient.silent)
			p.Interrupt()
		}
	}
}
