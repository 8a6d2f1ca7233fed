package guest

import (
	"fmt"
	"os"
	"strings"

	"netnscheck/harness/internal/vm/wire"
)

// modprobe is this program as /sbin/modprobe of a guest: the kernel starts it with "-q -- NAME" when it lacks a module
// (request_module in kernel/module/kmod.c). It does not return; in any other process it does nothing.
func modprobe() {
	if os.Args[0] != "/sbin/modprobe" || len(os.Args) < 2 {
		return
	}
	list, err := os.ReadFile(wire.DemandFile)
	if err != nil {
		return
	}
	if err := answer(string(list), os.Args[len(os.Args)-1], loadModule); err != nil {
		fmt.Fprintf(os.Stderr, "modprobe: %v\n", err)
		os.Exit(1)
	}
	os.Exit(0)
}

// answer loads what the list has for a name: a line is an alias, with _ for -, and paths in their order; "?" marks one
// that may fail.
func answer(list, name string, load func(path, parameters string) error) error {
	name = strings.ReplaceAll(name, "-", "_")
	for line := range strings.Lines(list) {
		paths, ok := strings.CutPrefix(line, name+" ")
		if !ok {
			continue
		}
		for _, path := range strings.Fields(paths) {
			path, optional := strings.CutPrefix(path, "?")
			if err := load(path, ""); err != nil && !optional {
				return fmt.Errorf("load %s for %s: %w", path, name, err)
			}
		}
		return nil
	}
	return fmt.Errorf("there is no module %s", name)
}
