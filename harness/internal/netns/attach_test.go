package netns

import (
	"errors"
	"io"
	"testing"
	"time"
)

type closer func() error

func (c closer) Close() error { return c() }

// TestAttach: an attachment is made once, by a function that may use the World, and closed once, with the World.
func TestAttach(t *testing.T) {
	w := makeWorld(t, Options{})
	made, closed := 0, 0
	attach := func() (io.Closer, error) {
		return w.Attach("key", func() (io.Closer, error) {
			made++
			return closer(func() error { closed++; return nil }), w.Add("testns")
		})
	}
	done := make(chan error, 1)
	go func() {
		_, err := attach()
		done <- err
	}()
	select {
	case err := <-done:
		if err != nil {
			t.Fatal(err)
		}
	case <-time.After(patience):
		t.Fatal("the maker waits for the World, and the World for the maker")
	}
	if _, err := attach(); err != nil || made != 1 || closed != 0 {
		t.Errorf("attached again: %v; made %d times, closed %d times", err, made, closed)
	}
	if _, err := w.Attach("other", func() (io.Closer, error) {
		return nil, io.ErrUnexpectedEOF
	}); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("what cannot be made: %v", err)
	}
	if err := w.Close(); err != nil || closed != 1 {
		t.Errorf("after Close it is closed %d times, %v", closed, err)
	}
	if _, err := attach(); !errors.Is(err, errThreadEnded) || made != 1 {
		t.Errorf("attached to a World that is closed: %v", err)
	}
}
