package run

import (
	"runtime"

	"netnscheck/harness/internal/kernel"
)

// How many scenarios of the whole catalogue run side by side when nobody says so. A worker waits more than it works:
// for the kernel to end a namespace, to make a link ready, to answer or not to. So a core has enough to do for several.
// More than mostWorkers wait for each other: the kernel has one lock for all changes of links, addresses and routes.
const (
	workersPerCore = 4
	mostWorkers    = 16
	// workerMemory is what a worker takes with its sandbox and its labs, in bytes: 30 MB, and some to spare.
	workerMemory = 64 << 20
)

// procs is that number on this machine.
func procs() int {
	available, ok := kernel.AvailableMemory()
	if !ok {
		available = mostWorkers * workerMemory
	}
	return procsOn(runtime.NumCPU(), available)
}

// procsOn is that number on a machine with so many cores and so much memory.
func procsOn(cores int, memory int64) int {
	return max(1, min(workersPerCore*cores, mostWorkers, int(memory/workerMemory)))
}
