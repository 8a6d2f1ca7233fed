package netns

import "fmt"

// EnterCommand is the shell command that enters the lab's host namespace from a terminal that sees the processes of this one:
// on the machine itself when Shared, else inside the sandbox.
func (w *World) EnterCommand() string {
	if w.shared {
		return "nsenter --net=" + namesDir + "/" + w.Real(Host)
	}
	return fmt.Sprintf("nsenter --target %d --net --mount", w.thread.tid)
}
