// Package operation is the typed form of the commands in a scenario: every `ip`, `ping` or `sysctl` command parses to
// one Command and renders back to an argument vector that means the same. It is pure: it may be imported by anybody,
// imports harness/nearest alone, and never touches the kernel, the file system or another program.
package operation

// Operation is one change, or one look, at the network state of a namespace. The concrete types are the structs of this
// package; a driver switches over them.
type Operation interface {
	// args are the words of the operation without the leading program and without the namespace.
	args() []string
}

// Command is an operation and the namespace it is carried out in.
type Command struct {
	// Netns is the namespace given by `-n NAME`, `-netns NAME` or `netns exec NAME`; "" is where the command runs, the
	// lab's host namespace.
	Netns string
	// Exec says that the namespace was entered by `ip netns exec` (its mounts are those of `ip-netns(8)`) rather than
	// by `-n`.
	Exec bool
	Op   Operation
}
