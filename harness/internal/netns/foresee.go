package netns

import "golang.org/x/sys/unix"

// spare is a namespace without a name that was made ahead, or why it could not be.
type spare struct {
	h   Handle
	err error
}

// Foresee says that n namespaces are about to be added. They are made at once, side by side and beside what the caller does
// meanwhile: the kernel takes some 0.3 ms for each, and does not mind several. Each is used once; those that are not go with
// the World.
func (w *World) Foresee(n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for range n {
		ahead := make(chan spare, 1)
		w.spares = append(w.spares, ahead)
		onNewThread(func() {
			if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
				ahead <- spare{err: err}
				return
			}
			h, err := current()
			ahead <- spare{h, err}
		})
	}
}

// foreseen takes a namespace that was made ahead; not ok when there is none.
func (w *World) foreseen() (Handle, bool) {
	w.mu.Lock()
	if len(w.spares) == 0 {
		w.mu.Unlock()
		return Handle{}, false
	}
	ahead := w.spares[0]
	w.spares = w.spares[1:]
	w.mu.Unlock()
	s := <-ahead
	return s.h, s.err == nil
}

// dropSpares lets the namespaces go that nobody asked for.
func (w *World) dropSpares() {
	for {
		w.mu.Lock()
		none := len(w.spares) == 0
		w.mu.Unlock()
		if none {
			return
		}
		if h, ok := w.foreseen(); ok {
			h.Close()
		}
	}
}
