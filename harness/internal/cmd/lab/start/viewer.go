package start

import (
	"sync"

	"netnscheck/harness/internal/session/wire"
)

// viewer shows one terminal of the lab: the learner's own, or one that was attached. Its output waits in a queue, which
// the terminal's window bounds, so that a terminal that does not go on holds up no other.
type viewer struct {
	number uint32
	window *wire.Window // of its input

	mu     sync.Mutex
	more   *sync.Cond
	queue  [][]byte
	closed bool
	empty  chan struct{} // closed when it is closed and everything was shown
}

// newViewer shows output with show, and says what was shown with shown.
func newViewer(number uint32, show func([]byte) error, shown func(n int)) *viewer {
	v := &viewer{number: number, window: wire.NewWindow(), empty: make(chan struct{})}
	v.more = sync.NewCond(&v.mu)
	go func() {
		defer close(v.empty)
		for {
			output, ok := v.next()
			if !ok || show(output) != nil {
				return
			}
			shown(len(output))
		}
	}()
	return v
}

func (v *viewer) next() ([]byte, bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for len(v.queue) == 0 && !v.closed {
		v.more.Wait()
	}
	if len(v.queue) == 0 {
		return nil, false
	}
	output := v.queue[0]
	v.queue = v.queue[1:]
	return output, true
}

func (v *viewer) output(b []byte) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if !v.closed {
		v.queue = append(v.queue, append([]byte(nil), b...))
		v.more.Signal()
	}
}

// close ends it when everything was shown.
func (v *viewer) close() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.closed = true
	v.more.Signal()
	v.window.Close()
}
