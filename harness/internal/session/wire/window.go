package wire

import "sync"

// WindowSize is how many bytes of a terminal may be on their way in one direction.
const WindowSize = 256 << 10

// Window holds up the bytes of a terminal while too many are on their way, so that a reader that does not read holds up
// its own terminal alone.
type Window struct {
	mu     sync.Mutex
	change *sync.Cond
	used   int
	closed bool
}

// NewWindow returns a window that is empty.
func NewWindow() *Window {
	w := &Window{}
	w.change = sync.NewCond(&w.mu)
	return w
}

// Use waits until n more bytes may be sent, at most WindowSize. It reports false if the window was closed.
func (w *Window) Use(n int) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	for !w.closed && w.used > 0 && w.used+n > WindowSize {
		w.change.Wait()
	}
	w.used += n
	return !w.closed
}

// Try is Use if there is no need to wait; otherwise it reports false, and nothing is used.
func (w *Window) Try(n int) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed || w.used > 0 && w.used+n > WindowSize {
		return false
	}
	w.used += n
	return true
}

// Taken notes that n bytes arrived where they belong. More than were sent count as all of them.
func (w *Window) Taken(n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.used -= min(max(n, 0), w.used)
	w.change.Broadcast()
}

// Close lets everybody go who waits.
func (w *Window) Close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.closed = true
	w.change.Broadcast()
}
