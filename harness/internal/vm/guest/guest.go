// Package guest is this program as the first process of a virtual machine. It prepares the guest, runs the harness in
// it, tells the process outside what the harness tells, and powers off. main alone may import it; it imports wire. It
// judges nothing: what it tells is evidence for machine.
package guest

import (
	"encoding/json"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"netnscheck/harness/internal/vm/wire"
)

// Enter is the life of a guest's first process, and of the modprobe that its kernel starts, and does not return. In any
// other process it does nothing.
func Enter() {
	modprobe()
	if os.Getpid() != 1 || os.Args[0] != "/init" {
		return
	}
	text, err := os.ReadFile(wire.RequestFile)
	if err != nil {
		return
	}
	os.Remove(wire.RequestFile) // a process of a lab may be the first of its namespace
	if err := live(text); err != nil {
		fmt.Fprintf(os.Stderr, "netnscheck: prepare the guest: %v\n", err) // on the console
	}
	powerOff()
}

// live prepares the guest, runs the harness and tells how it ended. The error is that nobody could be told.
func live(text []byte) error {
	var request wire.Request
	if err := json.Unmarshal(text, &request); err != nil {
		return fmt.Errorf("read the request: %w", err)
	}
	if err := mounts(); err != nil {
		return err
	}
	out, err := openPort(framesPort)
	if err != nil {
		return err
	}
	frames := &frames{to: out}
	defer drain(out)

	lacking, err := prepare(request)
	if err != nil {
		return frames.send(wire.Frame{Exit: &wire.Exit{Status: -1, Uptime: uptime(), Trouble: err.Error()}})
	}
	before := taint()
	frames.send(wire.Frame{Ready: &wire.Ready{Release: release(), Uptime: uptime(), Taint: before, Lacking: lacking}})
	exit := run(request, frames)
	if err := sendEvidence(); err != nil && exit.Trouble == "" {
		exit.Trouble = err.Error()
	}
	exit.Uptime, exit.Taint = uptime(), taint()
	return frames.send(wire.Frame{Exit: &exit})
}

// prepare does what the harness needs besides mounts. lacking is what the guest can do without.
func prepare(request wire.Request) (lacking []string, err error) {
	lacking, err = loadModules()
	if err != nil {
		return nil, err
	}
	if err := openTun(); err != nil {
		return nil, err
	}
	if err := unix.Sethostname([]byte(request.Hostname)); err != nil {
		return nil, fmt.Errorf("name the guest %s: %w", request.Hostname, err)
	}
	if err := loopbackUp(); err != nil {
		return nil, fmt.Errorf("set lo up: %w", err)
	}
	return lacking, users(request.Hostname)
}

// powerOff ends the guest: files need no writing, since all are in memory. Where there is no ACPI, a restart ends qemu
// as well (-no-reboot).
func powerOff() {
	unix.Reboot(unix.LINUX_REBOOT_CMD_POWER_OFF)
	unix.Reboot(unix.LINUX_REBOOT_CMD_RESTART)
	for {
		time.Sleep(time.Hour) // the first process must not end: that would be a panic
	}
}
