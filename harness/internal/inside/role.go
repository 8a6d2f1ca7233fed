// Package inside starts this program again in a role other than the command line, as everything that runs in a sandbox
// needs. The roles are one table. A role receives a request and sends its answers, one JSON value per line, or frames
// of session/wire where both sides talk. The command line, internal/worker, internal/session and internal/replay may
// import this package; it imports sandbox and untrusted. It never trusts an answer: answers are bounded and read by
// untrusted, and the caller checks what they mean.
package inside

import (
	"context"
	"fmt"
	"io"
	"os"
	"runtime"
	"syscall"

	"netnscheck/harness/internal/sandbox"
)

// Role is something this program can be started as. It is not a subcommand: only this program starts itself in a role.
type Role struct {
	// Name is the program's only argument, and what the host's process list shows.
	Name string
	// Play is all that the process does. What in begins with is the request. The process exits with status, or with 1
	// if there is an error.
	Play func(in io.Reader, out io.Writer) (status int, err error)
}

// Out is the descriptor on which a role sends its answers.
const Out = 3

// Needs is what a role needs in its sandbox.
type Needs struct {
	// Visible lists files that stay visible. TUN lets the role create links through /dev/net/tun.
	Visible []string
	TUN     bool
}

// Start starts this program in a sandbox in this role, with its request on in; out is its descriptor Out.
func (r Role) Start(ctx context.Context, in io.Reader, out, stderr *os.File, n Needs) (*sandbox.Process, error) {
	return sandbox.Start(ctx, sandbox.Command{
		Args: r.Args(), Stdin: in, Stderr: stderr, ExtraFiles: []*os.File{out}, Visible: n.Visible, TUN: n.TUN,
	})
}

// Args returns the arguments that start this program in the role.
func (r Role) Args() []string { return []string{os.Args[0], r.Name} }

// Enter plays the role that this process was started in, and exits. Call it first thing in main: it returns only if the
// process is the command line.
func Enter(roles ...Role) {
	sandbox.Enter()
	if len(os.Args) != 2 || !hasOut() {
		return
	}
	for _, r := range roles {
		if r.Name == os.Args[1] {
			os.Exit(r.enter())
		}
	}
}

// hasOut reports whether the descriptor Out is a pipe, as it is in every role. It is not if a person runs the program
// with the name of a role: outside a sandbox, the role would do to this host what it should do inside one.
func hasOut() bool {
	var st syscall.Stat_t
	return syscall.Fstat(Out, &st) == nil && st.Mode&syscall.S_IFMT == syscall.S_IFIFO
}

// enter first leaves the working directory of the command line, since the root of a sandbox may have no access to it
// (the home of the host's root, for example).
func (r Role) enter() int {
	err := os.Chdir("/")
	status := 0
	if err == nil {
		syscall.CloseOnExec(Out)
		out := os.NewFile(Out, "answers")
		status, err = r.Play(os.Stdin, out)
		runtime.KeepAlive(out) // or a finalizer could close its descriptor too early
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "harness: %s: %v\n", r.Name, err)
		return 1
	}
	return status
}
