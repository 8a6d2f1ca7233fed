package worker

import (
	"io"
	"os"
	"syscall"

	"netnscheck/harness/internal/inside"
	"netnscheck/harness/internal/netns"
)

// Keeper is the role of the keeper of a worker without a sandbox (netns.Keep). It passes its files on to the worker.
var Keeper = inside.Role{Name: "keeper-of-a-worker", Play: func(io.Reader, io.Writer) (status int, err error) {
	return netns.Keep(Role.Args(), []uintptr{0, 1, 2, inside.Out}, endWorker)
}}

// endWorker tells the keeper to kill its worker at once.
const endWorker = syscall.SIGUSR1

// startKept starts a worker that shares the host's namespaces, below its keeper. Neither is killed with this process:
// the worker sees the end of its standard input and takes its labs down. They have a process group of their own, so
// that Ctrl-C reaches this process alone.
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
