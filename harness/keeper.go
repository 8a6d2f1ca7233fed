package main

import (
	"fmt"
	"os"
	"syscall"

	"netnscheck/harness/internal/netns"
)

// keeperWord as the only argument makes this program the keeper of a worker that has no sandbox. It is no subcommand.
const keeperWord = "keeper-of-a-worker"

// endWorker is the signal by which the keeper is told to end its worker at once.
const endWorker = syscall.SIGUSR1

func isKeeper(args []string) bool { return len(args) == 2 && args[1] == keeperWord }

// keep is all of a keeper. The files that it was given are the worker's.
func keep() int {
	status, err := netns.Keep([]string{os.Args[0], workerWord}, []uintptr{0, 1, 2, resultsFD}, endWorker)
	if err != nil {
		fmt.Fprintln(os.Stderr, "harness: keeper:", err)
		return statusFailed
	}
	return status
}
