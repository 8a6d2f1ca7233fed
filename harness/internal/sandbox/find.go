package sandbox

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"
)

// Helper is the number, outside, of the sandbox's helper, for who wants to enter the second layer: a child of init.
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

// isHelper tells whether a process is a helper, by what it was started as.
func isHelper(pid int) bool {
	environ, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", pid))
	return err == nil && bytes.Contains(environ, []byte(variable+`={"stage":"`+string(stageHelper)+`"`))
}
