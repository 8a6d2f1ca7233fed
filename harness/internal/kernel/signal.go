package kernel

import (
	"os"
	"syscall"
)

// SignalName is the usual name of a signal that terminates a process, with its usual cause.
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
