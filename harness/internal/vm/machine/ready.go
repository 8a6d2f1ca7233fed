package machine

import (
	"fmt"

	"netnscheck/harness/internal/vm/qemu"
)

// Ready reports whether this machine can run guests at all: the error is a *CannotError.
func Ready() error {
	if qemu.Installed() != nil {
		return &CannotError{Package: qemu.Package, Cause: fmt.Errorf("run a guest: %s is not installed", qemu.Program)}
	}
	return nil
}
