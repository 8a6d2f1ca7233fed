// Package operation is the typed form of the commands in a scenario: every `ip`, `ping` or `sysctl` command parses to
// one Command and renders back to an equivalent argument vector. It is pure: anybody may import it, it imports only
// nearest, and it never touches the kernel, the file system or another program.
package operation

// Operation changes or reads the network state of a namespace. The concrete types are the structs of this package;
// drivers switch over them.
type Operation interface {
	// args are the words of the operation without the leading program and without the namespace.
	args() []string
}

// Command is an operation and the namespace in which it runs.
type Command struct {
	// Netns is the namespace given by `-n NAME`, `-netns NAME` or `netns exec NAME`; "" is the lab's host namespace.
	Netns string
	// Exec is set if the namespace is entered by `ip netns exec`, which also mounts /sys and the files in /etc/netns
	// (ip-netns(8)), and not by `-n`.
	Exec bool
	Op   Operation
}
