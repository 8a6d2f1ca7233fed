// Package sandbox starts this program again inside a sandbox, where nothing that a scenario contains can reach the
// host, and builds the walls of that sandbox. It may be imported by the packages behind the door (internal/netns,
// program, kernel), by lab, by internal/inside, internal/worker, internal/replay, internal/session/seat and the command
// line, and by tests that need the kernel. It imports nothing of this project, and it never makes the network
// namespaces of a lab: internal/netns does, in the helper.
//
// There are two layers, each with its own user, mount, PID, IPC and UTS namespaces. The first layer holds init and the
// worker, which judges; its network namespace is empty, and its mounts hold nothing of the host that can be written.
// The second layer is made inside the first and holds the helper and all programs of scenarios. Root of the second
// layer cannot trace a process of the first (ptrace(2), user_namespaces(7)), cannot see one (pid_namespaces(7)), and
// cannot undo mounts of the first, whose flags and masks are locked (mount_namespaces(7)). The worker has all
// capabilities over the second layer. When the program outside ends, the kernel takes the sandbox down.
//
// A program that uses this package calls Enter first thing in main. Outside, Start starts the program again; inside,
// Enter returns in the worker. docs/sandbox.md describes the threats, each wall, and how each wall is tested.
package sandbox

import (
	"encoding/json"
	"fmt"
	"os"
)

// variable tells a process that it is inside, and in which stage. Its children inherit the variable and are inside,
// too.
const variable = "NETNSCHECK_SANDBOX"

// Facts describe a sandbox.
type Facts struct {
	// PIDNamespace is true if the sandbox has its own PID namespaces and /proc. NoPIDNamespace says why it does not.
	PIDNamespace   bool   `json:"pid_namespace"`
	NoPIDNamespace string `json:"no_pid_namespace,omitempty"`
	// IDs is how many user ids programs have, from 0: 65536 or 1.
	IDs int `json:"ids"`
	// OuterUID is the user id that started the sandbox; FirstID is the user id outside that its root is mapped to.
	OuterUID int `json:"outer_uid"`
	FirstID  int `json:"first_id"`
}

// Privilege returns "root" or "user N" for the user who started the sandbox.
func (f Facts) Privilege() string {
	if f.OuterUID == 0 {
		return "root"
	}
	return fmt.Sprintf("user %d", f.OuterUID)
}

// stage is what a process inside was started as.
type stage string

const (
	stageInit   stage = "init"   // process 1 of the first layer
	stageInside stage = "inside" // the worker, or any process below it
	stageHelper stage = "helper" // process 1 of the second layer
	stageNested stage = "nested" // a program of the second layer that tries to make a third one: see Nested
)

// orders is the value of the variable.
type orders struct {
	Stage stage `json:"stage"`
	Facts
	// Control is a descriptor: in init, of the connection to the process outside (those from 3 up to it are
	// Command.ExtraFiles); in the worker and in the helper, of the connection between these two, 0 if there is none.
	Control int `json:"control,omitempty"`
	// Open tells the helper that its labs are those of this project's tests. There may be hundreds at once, each with a
	// thread, whose stacks count as data (RLIMIT_DATA).
	Open bool `json:"open,omitempty"`
}

// received is the orders of this process, nil outside.
var received = readOrders()

func readOrders() *orders {
	text, ok := os.LookupEnv(variable)
	if !ok {
		return nil
	}
	var o orders
	if err := json.Unmarshal([]byte(text), &o); err != nil {
		return nil
	}
	return &o
}

func (o orders) environment() string {
	text, err := json.Marshal(o)
	if err != nil {
		panic(err) // plain fields: cannot happen
	}
	return variable + "=" + string(text)
}

// Inside reports whether this process runs in a sandbox.
func Inside() bool { return received != nil }

// Closed reports whether this process is the worker of a run: it sees the host's folders as read-only mounts, beside
// folders that the programs of a scenario may write to. Outside, and in the tests of this project, it sees the host's
// files as they are.
func Closed() bool {
	self, err := os.Readlink("/proc/self/exe")
	return Inside() && err == nil && self == ProgramPath
}

// Current returns the facts of the sandbox in which this process runs. ok is false outside.
func Current() (facts Facts, ok bool) {
	if received == nil {
		return Facts{}, false
	}
	return received.Facts, true
}
