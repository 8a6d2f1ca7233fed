// Package sandbox starts this same program again inside private user, mount and PID namespaces, in which labs live: it needs
// no root, nothing inside can change the machine (but the kernel may load modules for what is asked of it), and the kernel takes
// everything down when the program outside ends. It keeps the network namespace of the caller, which nothing inside can change either.
// It may be imported by the command line, by lab and by the tests of what needs the kernel; it imports nothing of this project, and it
// makes no network namespace in which anybody works (internal/netns does).
//
// A program that uses it calls Enter first thing in main. Outside, Start starts the program again; that one finds itself
// inside when its Enter returns. In between stands an init, process 1 of the PID namespace, which the same program becomes for a while.
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
	// IDs is the number of user ids inside, from 0: 65536, or 1.
	IDs int `json:"ids"`
	// OuterUID is the user outside who started it, FirstID the user there that root inside is.
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
	stageInit   stage = "init"   // process 1 of the PID namespace
	stageFirst  stage = "first"  // the program itself, without a PID namespace: no init before it
	stageInside stage = "inside" // the program itself, or any process below it
	stageNested stage = "nested" // root of a user namespace inside, for a moment: see Nested
)

// orders are what the variable holds.
type orders struct {
	Stage stage `json:"stage"`
	Facts
	// Control is the descriptor that leads to the process outside; those from 3 up to it are the caller's.
	Control int `json:"control,omitempty"`
	// Trial asks only whether everything that a lab needs can be had.
	Trial bool `json:"trial,omitempty"`
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
