package sandbox

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
)

// Helper is the number, outside, of the sandbox's helper, for who wants to enter the second layer: a child of init.
func (p *Process) Helper() (pid int, err error) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return 0, fmt.Errorf("find the helper of the sandbox: %w", err)
	}
	for _, e := range entries {
		n, err := strconv.Atoi(e.Name())
		if err != nil || parentOf(n) != p.PID() {
			continue
		}
		environ, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", n))
		if err == nil && bytes.Contains(environ, []byte(variable+`={"stage":"`+string(stageHelper)+`"`)) {
			return n, nil
		}
	}
	return 0, errors.New("find the helper of the sandbox: it has ended")
}

// parentOf is the parent of a process, 0 if there is no such process.
func parentOf(pid int) int {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(status)) {
		if number, ok := strings.CutPrefix(line, "PPid:"); ok {
			n, _ := strconv.Atoi(strings.TrimSpace(number))
			return n
		}
	}
	return 0
}
