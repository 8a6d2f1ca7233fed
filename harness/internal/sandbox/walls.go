package sandbox

import "fmt"

// Wall is one of the mechanisms that keep the programs of scenarios away from what is outside (docs/sandbox.md).
type Wall string

// The walls. The first five are essential: without one of them there is no sandbox. If another one is missing, the run
// says so once and goes on.
const (
	WallUsers     Wall = "users"
	WallMounts    Wall = "mounts"
	WallNetwork   Wall = "network"
	WallIPC       Wall = "ipc"
	WallHostname  Wall = "hostname"
	WallProcesses Wall = "processes"
	WallFiles     Wall = "files"
	WallSys       Wall = "sys"
	WallTerminals Wall = "terminals"
	WallKeyring   Wall = "keyring"
	WallLimits    Wall = "limits"
	WallCalls     Wall = "calls"
	WallMemory    Wall = "memory"
)

// Walls lists all walls, each with what it is made of.
var Walls = []struct {
	Wall Wall
	Is   string
}{
	{WallUsers, "user namespaces, whose root owns nothing outside"},
	{WallMounts, "a root of its own: empty home and temporary directories, a private /dev, all else read-only"},
	{WallNetwork, "an empty network namespace for the worker, others for the labs"},
	{WallIPC, "System V objects and message queues of its own"},
	{WallHostname, "a host name of its own"},
	{WallProcesses, "process ids and a /proc of its own"},
	{WallFiles, "overlays of directories, in which sockets and FIFOs lead nowhere"},
	{WallSys, "a /sys of its own"},
	{WallTerminals, "terminals of its own, none of them the caller's"},
	{WallKeyring, "a session keyring of its own"},
	{WallLimits, "limits on processes, open files, file sizes and data"},
	{WallCalls, "a filter that refuses system calls no lesson needs"},
	{WallMemory, "a control group that limits the memory of all processes together"},
}

// Lack is a wall that could not be had, with the reason.
type Lack struct {
	Wall Wall   `json:"wall"`
	Why  string `json:"why"`
}

func (l Lack) String() string { return fmt.Sprintf("%s (%s)", l.Wall, l.Why) }
