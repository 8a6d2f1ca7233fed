package cmd

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"netnscheck/harness/internal/kernel"
)

// untilSignal returns a context that ends with the first SIGINT, SIGTERM or SIGHUP, with the signal as its cause. A
// second signal ends the process at once, as if it were not caught, except a second SIGHUP: when a terminal closes, the
// kernel and the shell send one each.
func untilSignal() (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(context.Background())
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	go func() {
		cancel(fmt.Errorf("by %s", kernel.SignalName(<-signals)))
		for s := range signals {
			if s != syscall.SIGHUP {
				signal.Reset(s)
				syscall.Kill(os.Getpid(), s.(syscall.Signal))
			}
		}
	}()
	return ctx, func() { signal.Stop(signals); cancel(nil) }
}
