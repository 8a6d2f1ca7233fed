package sandbox

import "sync"

// launcher is an OS thread that starts sandboxes and nothing else. The kernel kills a sandbox when the thread that
// started it ends (PR_SET_PDEATHSIG), so the thread lives as long as this process. What it starts is created in the
// thread's control group: moving a process into one takes the kernel many milliseconds.
type launcher struct {
	jobs  chan func()
	group *cgroup // nil where none can be made
	ended chan struct{}
}

// launchers are the launcher for workers, and the one for processes that need no control group.
var launchers struct {
	sync.Mutex
	grouped, plain *launcher
}

// theLauncher returns the launcher for workers if grouped, otherwise the plain one. It is made on first use.
func theLauncher(grouped bool) *launcher {
	launchers.Lock()
	defer launchers.Unlock()
	l := &launchers.plain
	if grouped {
		l = &launchers.grouped
	}
	if *l == nil {
		*l = newLauncher(grouped)
	}
	return *l
}

func newLauncher(grouped bool) *launcher {
	l := &launcher{jobs: make(chan func()), ended: make(chan struct{})}
	ready := make(chan struct{})
	OnNewThread(func() { l.run(grouped, ready) })
	<-ready
	return l
}

func (l *launcher) run(grouped bool, ready chan<- struct{}) {
	if grouped {
		if l.group = newCgroup(); l.group != nil && !l.group.enter() {
			l.drop()
		}
	}
	close(ready)
	for job := range l.jobs {
		job()
	}
	close(l.ended)
}

// do runs f on the thread and waits for it.
func (l *launcher) do(f func() error) error {
	result := make(chan error)
	l.jobs <- func() { result <- f() }
	return <-result
}

// drop removes the control group; the launcher goes on without one.
func (l *launcher) drop() {
	l.group.remove()
	l.group = nil
}

// Done removes the control group of the sandboxes. Call it when all of them have ended; none can be started afterwards.
func Done() {
	launchers.Lock()
	defer launchers.Unlock()
	if l := launchers.grouped; l != nil && l.group != nil {
		close(l.jobs)
		<-l.ended
		l.group.remove()
	}
}
