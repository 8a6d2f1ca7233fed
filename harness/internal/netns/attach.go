package netns

import (
	"errors"
	"io"
)

// Attach returns what make made for the key the first time; it is closed with the World. It is for what lives in the host
// namespace alone: in any other one an open socket would keep a deleted namespace alive.
func (w *World) Attach(key string, make func() (io.Closer, error)) (io.Closer, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return nil, errThreadEnded
	}
	if c, ok := w.attached[key]; ok {
		return c, nil
	}
	c, err := make()
	if err != nil {
		return nil, err
	}
	if w.attached == nil {
		w.attached = map[string]io.Closer{}
	}
	w.attached[key] = c
	return c, nil
}

// detach closes what was attached.
func (w *World) detach() error {
	w.mu.Lock()
	attached := w.attached
	w.attached = nil
	w.mu.Unlock()
	var errs []error
	for _, c := range attached {
		errs = append(errs, c.Close())
	}
	return errors.Join(errs...)
}
