package qemu

import (
	"fmt"
	"os/exec"
)

// Installed is nil if there is a qemu on this machine.
func Installed() error {
	if _, err := exec.LookPath(Program); err != nil {
		return fmt.Errorf("the program %s is not installed", Program)
	}
	return nil
}
