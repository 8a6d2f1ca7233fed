package play

import (
	"bufio"
	"context"
	"os"
	"sync"

	"netnscheck/harness/internal/specrun"
	"netnscheck/harness/internal/worker"
)

// keep prints how to enter the labs that were kept, and waits for Enter, Ctrl-C or the end of --timeout.
func (s *Session) keep(ctx context.Context, unit string, p specrun.Process, threads []int) {
	s.Told.Say("\nkept: the lab of %s in which something failed stays until Enter or Ctrl-C. To enter it from "+
		"another terminal:", unit)
	for _, thread := range threads {
		s.Told.Say("  %s", worker.WayIn(p, thread))
	}
	s.Told.Say("There `ip netns exec NAME …` reaches its namespaces.\n")
	select {
	case <-enter():
	case <-ctx.Done():
	}
}

// enter returns a channel with one value for each line of standard input. At the end of the input it blocks, so that
// only Ctrl-C and --timeout end the wait.
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
