// Package inside starts this program again as something else than the command line, which it has to be for everything
// that runs in a sandbox. What it can be is one table of roles; a role is handed a request and says what comes of it,
// each a JSON value a line. The command line and internal/worker may import it; it imports sandbox and untrusted, and
// it never believes what it is told: an answer is bounded and read by untrusted, and what it means is for the caller to
// check.
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

// Role is something that this program can be. It is no subcommand: nobody but this program starts itself so.
type Role struct {
	// Name stands in the list of the machine's processes.
	Name string
	// Play is all that the process does; status is that of its end if it could do it. The first line of in is the
	// request.
	Play func(in io.Reader, out io.Writer) (status int, err error)
}

// Out is the descriptor on which a role says what comes of its request.
const Out = 3

// Needs are what a role has to have in its sandbox.
type Needs struct {
	// Visible are files that stay to be seen, TUN lets it make links by /dev/net/tun.
	Visible []string
	TUN     bool
}

// Start starts this program in a sandbox in this role, with its request on in.
func (r Role) Start(ctx context.Context, in io.Reader, out, stderr *os.File, n Needs) (*sandbox.Process, error) {
	return sandbox.Start(ctx, sandbox.Command{
		Args: r.Args(), Stdin: in, Stderr: stderr, ExtraFiles: []*os.File{out}, Visible: n.Visible, TUN: n.TUN,
	})
}

// Args are those with which this program is started in a role.
func (r Role) Args() []string { return []string{os.Args[0], r.Name} }

// Enter makes this process what it was started as. Call it first thing in main: it returns where the process is that
// of the command line, and nowhere else.
func Enter(roles ...Role) {
	sandbox.Enter()
	if len(os.Args) != 2 {
		return
	}
	for _, r := range roles {
		if r.Name == os.Args[1] {
			os.Exit(r.enter())
		}
	}
}

// enter leaves the folder in which the command line was started, which may be closed to the root of a sandbox, such as
// the home of the machine's root.
func (r Role) enter() int {
	err := os.Chdir("/")
	status := 0
	if err == nil {
		syscall.CloseOnExec(Out)
		out := os.NewFile(Out, "answers")
		status, err = r.Play(os.Stdin, out)
		runtime.KeepAlive(out) // its descriptor is not to be closed by who finds that nobody uses it
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "harness: %s: %v\n", r.Name, err)
		return 1
	}
	return status
}
