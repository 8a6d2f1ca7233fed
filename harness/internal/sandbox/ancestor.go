package sandbox

// Ancestor is the number of the process below which everything inside runs, the init of this sandbox, to which
// orphans come too; 0 outside, and where the sandbox has no PID namespace and so no init.
func Ancestor() int {
	if received == nil || !received.PIDNamespace {
		return 0
	}
	return 1
}
