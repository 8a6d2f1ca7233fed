package sandbox

// Ancestor is the process id of the process that everything inside descends from and that orphans are reparented to:
// init, process 1. It is 0 outside, and in a sandbox without a PID namespace, which has no such process.
func Ancestor() int {
	if received == nil || !received.PIDNamespace {
		return 0
	}
	return 1
}
