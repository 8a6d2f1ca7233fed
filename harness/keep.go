package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"sync"

	"netnscheck/harness/internal/specrun"
)

// keep tells how to enter the labs that were kept, and waits for Enter, Ctrl-C or the end of --timeout.
func (s *session) keep(ctx context.Context, unit string, p specrun.Process, threads []int) {
	s.console.Say("\nkept: the lab of %s in which something failed stays until Enter or Ctrl-C. To enter it from another terminal:", unit)
	for _, thread := range threads {
		s.console.Say("  %s", wayIn(p, thread))
	}
	s.console.Say("There `ip netns exec NAME …` reaches its namespaces.\n")
	select {
	case <-enter():
	case <-ctx.Done():
	}
}

// wayIn is the command that enters a lab: first the layer of the sandbox in which its programs are, then the
// namespaces of a thread that lives in the lab, which has the number that they see. Root has to become the sandbox's
// root; an ordinary user is it already, and may not change groups.
func wayIn(p specrun.Process, thread int) string {
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

// enter gives one value for each line of standard input. Where there is none (its end, or no input at all) it never does: then
// Ctrl-C and --timeout are left.
var enter = sync.OnceValue(func() <-chan struct{} {
	lines := make(chan struct{})
	go func() {
		in := bufio.NewReader(os.Stdin)
		for {
			if _, err := in.ReadString('\n'); err != nil {
				return
			}
			lines <- struct{}{}
		}
	}()
	return lines
})
