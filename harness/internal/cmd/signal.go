package cmd

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"netnscheck/harness/internal/kernel"
)

// untilSignal is a context that ends with the first signal that asks the harness to stop, and names it. A second one
// ends the process at once, as if nobody had caught it; but not a second SIGHUP, of which the kernel and the shell send
// one each when a terminal goes.
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
