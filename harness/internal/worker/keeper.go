package worker

import (
	"io"
	"os"
	"syscall"

	"netnscheck/harness/internal/inside"
	"netnscheck/harness/internal/netns"
)

// Keeper is the keeper of a worker that has no sandbox. The files that it was given are the worker's.
var Keeper = inside.Role{Name: "keeper-of-a-worker", Play: func(io.Reader, io.Writer) (status int, err error) {
	return netns.Keep(Role.Args(), []uintptr{0, 1, 2, inside.Out}, endWorker)
}}

// endWorker is the signal by which the keeper is told to end its worker at once.
const endWorker = syscall.SIGUSR1

// startKept starts a worker that shares the machine's namespaces, below its keeper. Neither is killed with this
// process: the worker sees the end of its standard input, and takes its labs down. Their process group is their own,
// so that a Ctrl-C comes to this process alone.
func startKept(in, out, stderr *os.File) (*os.Process, error) {
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		return nil, err
	}
	defer null.Close()
	return os.StartProcess("/proc/self/exe", Keeper.Args(), &os.ProcAttr{
		Files: []*os.File{in, null, stderr, out},
		Sys:   &syscall.SysProcAttr{Setpgid: true},
	})
}
