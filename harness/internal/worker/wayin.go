package worker

import (
	"fmt"
	"os"

	"netnscheck/harness/internal/sandbox"
	"netnscheck/harness/internal/specrun"
)

// WayIn returns the nsenter(1) command that enters a lab: first the inner layer of the sandbox, then the namespaces of
// a thread of the lab, whose number is the one seen in that layer. Root has to become the sandbox's root; an ordinary
// user is mapped to it already, and may not change groups. It ends in a shell whose prompt has the given name.
func WayIn(p specrun.Process, thread int, name string) string {
	lab := fmt.Sprintf("nsenter --target %d --net --mount", thread)
	inside, sandboxed := p.(*workerInside)
	if !sandboxed {
		self, err := os.Executable()
		if err != nil {
			return err.Error()
		}
		return lab + " -- " + self + " lab here " + name
	}
	helper, err := inside.Helper()
	if err != nil {
		return err.Error()
	}
	way := fmt.Sprintf("nsenter --target %d --user --mount --pid", helper)
	if os.Geteuid() != 0 {
		way += " --preserve-credentials"
	}
	return way + " -- " + lab + " -- " + sandbox.ProgramPath + " lab here " + name
}
