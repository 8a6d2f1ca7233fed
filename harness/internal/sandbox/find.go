package sandbox

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"
)

// Helper returns the process id, as seen outside, of the sandbox's helper: the child of init whose namespaces are those
// of the second layer.
func (p *Process) Helper() (pid int, err error) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return 0, fmt.Errorf("find the helper of the sandbox: %w", err)
	}
	for _, e := range entries {
		n, err := strconv.Atoi(e.Name())
		if err == nil && readStat(fmt.Sprintf("/proc/%d/stat", n)).parent == p.PID() && isHelper(n) {
			return n, nil
		}
	}
	return 0, errors.New("find the helper of the sandbox: it has ended")
}

// isHelper reports whether a process is a helper, by the environment it was started with.
func isHelper(pid int) bool {
	environ, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", pid))
	return err == nil && bytes.Contains(environ, []byte(variable+`={"stage":"`+string(stageHelper)+`"`))
}
