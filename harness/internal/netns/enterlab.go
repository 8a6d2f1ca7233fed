package netns

import "fmt"

// EnterCommand is the shell command that enters the lab's host namespace from a terminal that sees the processes of the
// programs: on the machine itself when Shared, else in the sandbox's second layer.
func (w *World) EnterCommand() string {
	if w.shared {
		return "nsenter --net=" + namesDir + "/" + w.Real(Host)
	}
	return fmt.Sprintf("nsenter --target %d --net --mount", w.ground.thread())
}
