package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"strings"
	"sync"

	"netnscheck/harness/internal/sandbox"
	"netnscheck/harness/internal/specrun"
)

// keep tells how to enter the labs that were kept, and waits for Enter, Ctrl-C or the end of --timeout.
func (s *session) keep(ctx context.Context, unit string, p specrun.Process, commands []string) {
	s.console.Say("\nkept: the lab of %s in which something failed stays until Enter or Ctrl-C. To enter it from another terminal:", unit)
	for _, command := range commands {
		s.console.Say("  %s", fromOutside(p, command))
	}
	s.console.Say("There `ip netns exec NAME …` reaches its namespaces.\n")
	select {
	case <-enter():
	case <-ctx.Done():
	}
}

// fromOutside puts the way into a worker's sandbox before a command that is run there. Root has to become the sandbox's root; an
// ordinary user is it already, and may not change groups.
func fromOutside(p specrun.Process, command string) string {
	inside, sandboxed := p.(*sandbox.Process)
	if !sandboxed {
		return command
	}
	way := fmt.Sprintf("nsenter --target %d --user --mount --pid", inside.PID())
	if os.Geteuid() != 0 {
		way += " --preserve-credentials"
	}
	return strings.Join([]string{way, "--", command}, " ")
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
