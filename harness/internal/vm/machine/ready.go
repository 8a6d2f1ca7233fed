package machine

import (
	"errors"
	"os/exec"
)

// Ready reports whether this machine can run guests at all: the error is a *CannotError.
func Ready() error {
	if _, err := exec.LookPath("qemu-system-x86_64"); err != nil {
		return &CannotError{Package: "qemu-system-x86", Cause: errors.New("run a guest: qemu-system-x86_64 is not installed")}
	}
	return nil
}
