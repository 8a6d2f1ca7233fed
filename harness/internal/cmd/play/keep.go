package play

import (
	"bufio"
	"context"
	"os"
	"strings"
	"sync"

	"netnscheck/harness/internal/specrun"
	"netnscheck/harness/internal/worker"
)

// keep says what failed and how to enter its labs, and waits for Enter, the end of the input, Ctrl-C or the end of
// --timeout.
func (s *Session) keep(ctx context.Context, k specrun.KeptLabs) {
	for _, failure := range k.Failures {
		s.Told.Say("\nfailed: %s", strings.ReplaceAll(failure, "\n", "\n  "))
	}
	s.Told.Say("\nkept: the lab of %s stays until Enter or Ctrl-C. To enter it from another terminal:", k.Unit)
	for _, thread := range k.Threads {
		s.Told.Say("  %s", worker.WayIn(k.Worker, thread, k.Unit))
	}
	s.Told.Say("There `ip netns exec NAME …` reaches its namespaces.\n")
	select {
	case <-enter():
	case <-ctx.Done():
	}
}

// enter returns a channel with one value for each line of standard input, which is closed at the end of the input.
var enter = sync.OnceValue(func() <-chan struct{} {
	lines := make(chan struct{})
	go func() {
		defer close(lines)
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
