package worker

import (
	"fmt"
	"os"

	"netnscheck/harness/internal/specrun"
)

// WayIn is the command that enters a lab: first the layer of the sandbox in which its programs are, then the
// namespaces of a thread that lives in the lab, which has the number that they see. Root has to become the sandbox's
// root; an ordinary user is it already, and may not change groups.
func WayIn(p specrun.Process, thread int) string {
	lab := fmt.Sprintf("nsenter --target %d --net --mount", thread)
	inside, sandboxed := p.(*workerInside)
	if !sandboxed {
		return lab
	}
	helper, err := inside.Helper()
	if err != nil {
		return err.Error()
	}
	way := fmt.Sprintf("nsenter --target %d --user --mount --pid", helper)
	if os.Geteuid() != 0 {
		way += " --preserve-credentials"
	}
	return way + " -- " + lab
}
