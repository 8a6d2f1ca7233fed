package netns

import (
	"golang.org/x/sys/unix"

	"netnscheck/harness/internal/sandbox"
)

// spare is a nameless namespace that was made ahead, or the error.
type spare struct {
	h   Handle
	err error
}

// foresee makes n namespaces ahead in the background, since the kernel takes some 0.3 ms for each. One thread makes
// them all, since there may be 1,000. Unused ones are closed with the site.
func (s *site) foresee(n int) error {
	if n <= 0 {
		return nil
	}
	ahead := make([]chan spare, n)
	for i := range ahead {
		ahead[i] = make(chan spare, 1)
	}
	s.mu.Lock()
	s.spares = append(s.spares, ahead...)
	s.mu.Unlock()
	sandbox.OnNewThread(func() {
		for _, one := range ahead {
			if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
				one <- spare{err: err}
				continue
			}
			h, err := current()
			one <- spare{h, err}
		}
	})
	return nil
}

// foreseen returns a namespace that was made ahead; ok is false if there is none.
func (s *site) foreseen() (Handle, bool) {
	s.mu.Lock()
	if len(s.spares) == 0 {
		s.mu.Unlock()
		return Handle{}, false
	}
	ahead := s.spares[0]
	s.spares = s.spares[1:]
	s.mu.Unlock()
	made := <-ahead
	return made.h, made.err == nil
}

// dropSpares closes the unused namespaces.
func (s *site) dropSpares() {
	for {
		s.mu.Lock()
		none := len(s.spares) == 0
		s.mu.Unlock()
		if none {
			return
		}
		if h, ok := s.foreseen(); ok {
			h.Close()
		}
	}
}
