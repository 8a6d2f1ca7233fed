package netns

import (
	"errors"
	"io"
	"sync"
)

// attachments live as long as their World. They have a lock of their own, since making one runs on the lab's thread.
type attachments struct {
	sync.Mutex
	closers map[string]io.Closer
}

// Attach returns the attachment with the key; make makes it on the first call. It is closed with the World. Use it only
// for sockets in the host namespace: in any other one an open socket would keep a deleted namespace alive.
func (w *World) Attach(key string, make func() (io.Closer, error)) (io.Closer, error) {
	w.attached.Lock()
	defer w.attached.Unlock()
	if w.isClosed() {
		return nil, errThreadEnded
	}
	if c, ok := w.attached.closers[key]; ok {
		return c, nil
	}
	c, err := make()
	if err != nil {
		return nil, err
	}
	if w.attached.closers == nil {
		w.attached.closers = map[string]io.Closer{}
	}
	w.attached.closers[key] = c
	return c, nil
}

func (w *World) isClosed() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.closed
}

// detach closes all attachments. There can be no new ones, since the World is closed.
func (w *World) detach() error {
	w.attached.Lock()
	defer w.attached.Unlock()
	var errs []error
	for _, c := range w.attached.closers {
		errs = append(errs, c.Close())
	}
	return errors.Join(errs...)
}
