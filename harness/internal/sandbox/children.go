package sandbox

import (
	"sync"
	"syscall"
)

// Children are the programs that the helper starts. The helper is process 1 of its layer: it has to reap orphans too,
// and therefore waits for any child (wait4(2) with -1), not for each program by its id.
type Children struct {
	mu      sync.Mutex
	waiting map[int]chan<- syscall.WaitStatus
	burying bool
}

// Start starts a program (syscall.ForkExec). The channel receives its wait status when it has ended.
func (c *Children) Start(path string, argv []string, attr *syscall.ProcAttr) (
	pid int, ended <-chan syscall.WaitStatus, err error,
) {
	c.mu.Lock() // until the process is registered: bury must not reap it before
	defer c.mu.Unlock()
	pid, err = syscall.ForkExec(path, argv, attr)
	if err != nil {
		return 0, nil, err
	}
	status := make(chan syscall.WaitStatus, 1)
	if c.waiting == nil {
		c.waiting = map[int]chan<- syscall.WaitStatus{}
	}
	c.waiting[pid] = status
	if !c.burying {
		c.burying = true
		go c.bury()
	}
	return pid, status, nil
}

// bury reaps children until none is left and hands the status of each program to its channel.
func (c *Children) bury() {
	for {
		var status syscall.WaitStatus
		pid, err := syscall.Wait4(-1, &status, 0, nil)
		if err == syscall.EINTR {
			continue
		}
		c.mu.Lock()
		if err != nil && len(c.waiting) == 0 {
			c.burying = false
			c.mu.Unlock()
			return
		}
		if told, ok := c.waiting[pid]; ok {
			told <- status
			delete(c.waiting, pid)
		}
		c.mu.Unlock()
	}
}
