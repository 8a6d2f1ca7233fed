package kernel

import (
	"os"
	"syscall"
)

// SignalName is what people call a signal that asks a process to end.
func SignalName(s os.Signal) string {
	switch s {
	case syscall.SIGINT:
		return "SIGINT (Ctrl-C)"
	case syscall.SIGTERM:
		return "SIGTERM"
	case syscall.SIGHUP:
		return "SIGHUP (the terminal is gone)"
	}
	return s.String()
}
