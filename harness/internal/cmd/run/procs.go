package run

import (
	"runtime"

	"netnscheck/harness/internal/kernel"
)

// The default number of workers for the whole catalogue. A worker waits more than it works: for the kernel to end a
// namespace, to make a link ready, to answer. So each core serves several. More than mostWorkers would wait for each
// other: the kernel changes links, addresses and routes under one lock (rtnl_mutex, net/core/rtnetlink.c).
const (
	workersPerCore = 4
	mostWorkers    = 16
	// workerMemory is the memory for a worker with its sandbox and labs, in bytes: 30 MB and a reserve.
	workerMemory = 64 << 20
)

// procs is the default number of workers on this machine.
func procs() int {
	available, ok := kernel.AvailableMemory()
	if !ok {
		available = mostWorkers * workerMemory
	}
	return procsOn(runtime.NumCPU(), available)
}

// procsOn is the default number of workers on a machine with these cores and this memory.
func procsOn(cores int, memory int64) int {
	return max(1, min(workersPerCore*cores, mostWorkers, int(memory/workerMemory)))
}
