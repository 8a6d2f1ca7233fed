package sandbox

import "sync"

// launcher is an OS thread that starts sandboxes and nothing else. The kernel ends a sandbox when the thread that
// started it ends, which is to be when this process does; and what it starts is born into the control group that this
// thread is in: to move a process into one takes the kernel many milliseconds.
type launcher struct {
	jobs  chan func()
	group *cgroup // nil where none can be made
	ended chan struct{}
}

// launchers are the one for workers and the one for what needs no control group.
var launchers struct {
	sync.Mutex
	grouped, plain *launcher
}

// theLauncher is that for workers if grouped. It is made when it is first asked for.
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

// do runs f on the thread.
func (l *launcher) do(f func() error) error {
	result := make(chan error)
	l.jobs <- func() { result <- f() }
	return <-result
}

// drop goes on without a control group.
func (l *launcher) drop() {
	l.group.remove()
	l.group = nil
}

// Done removes the control group of the sandboxes, which have all ended. No other one can be started after it.
func Done() {
	launchers.Lock()
	defer launchers.Unlock()
	if l := launchers.grouped; l != nil && l.group != nil {
		close(l.jobs)
		<-l.ended
		l.group.remove()
	}
}
