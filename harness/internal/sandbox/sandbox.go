// Package sandbox starts this program again where nothing that a scenario's author wrote can reach the machine, and
// holds what keeps it so. It may be imported by the command line, by lab, by netns and by the tests of what needs the
// kernel; it imports nothing of this project, and it never makes a network namespace in which anybody works
// (internal/netns does, in the helper).
//
// There are two layers, each with user, mount, PID, IPC, UTS and network namespaces of its own. In the first one live
// init and the worker, which judges: its network is empty, and its mounts hold nothing of the machine that may be
// written. The second one is made inside the first; in it live the helper and all programs of scenarios. Who is root
// there has no power over a process of the first layer (ptrace(2), user_namespaces(7)), cannot name one
// (pid_namespaces(7)), and cannot undo what was mounted in the first (mount flags and masks are locked,
// mount_namespaces(7)); the worker has all power over the second. The kernel takes everything down when the program
// outside ends.
//
// A program that uses it calls Enter first thing in main. Outside, Start starts the program again; that one finds
// itself inside, as the worker, when its Enter returns. docs/sandbox.md describes the threats, each wall, and how it
// is proven.
package sandbox

import (
	"encoding/json"
	"fmt"
	"os"
)

// variable tells a process that it is inside, and what it is there. What it starts inherits it, and is inside as well.
const variable = "NETNSCHECK_SANDBOX"

// Facts are what this sandbox is like.
type Facts struct {
	// PIDNamespace says that processes inside have numbers and a /proc of their own. NoPIDNamespace says why not.
	PIDNamespace   bool   `json:"pid_namespace"`
	NoPIDNamespace string `json:"no_pid_namespace,omitempty"`
	// IDs is the number of user ids that programs have, from 0: 65536, or 1.
	IDs int `json:"ids"`
	// OuterUID is the user outside who started it, FirstID the user there that root of the programs is.
	OuterUID int `json:"outer_uid"`
	FirstID  int `json:"first_id"`
}

// Privilege says in words who started the sandbox.
func (f Facts) Privilege() string {
	if f.OuterUID == 0 {
		return "root"
	}
	return fmt.Sprintf("user %d", f.OuterUID)
}

// stage is what a process that Start started is to be.
type stage string

const (
	stageInit   stage = "init"   // process 1 of the first layer
	stageInside stage = "inside" // the worker, or any process below it
	stageHelper stage = "helper" // process 1 of the second layer
	stageNested stage = "nested" // a program of the second layer that tries for a third one: see Nested
)

// orders are what the variable holds.
type orders struct {
	Stage stage `json:"stage"`
	Facts
	// Control is the descriptor that leads to the process outside, of init; those from 3 up to it are the caller's. In
	// the worker and in the helper it is the one that leads to the other of them, 0 where there is none.
	Control int `json:"control,omitempty"`
	// Open says to the helper that its labs are those of the tests of this project: there may be hundreds of them at
	// once, and the stacks of as many threads are data.
	Open bool `json:"open,omitempty"`
}

// received are the orders of this process, nil outside.
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

// Inside says that this process runs in a sandbox.
func Inside() bool { return received != nil }

// Current are the facts of the sandbox in which this process runs; not ok outside.
func Current() (facts Facts, ok bool) {
	if received == nil {
		return Facts{}, false
	}
	return received.Facts, true
}
