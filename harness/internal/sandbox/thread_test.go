package sandbox

import (
	"testing"

	"golang.org/x/sys/unix"
)

func TestOnNewThreadIsNeverTheMainOne(t *testing.T) {
	const threads = 500
	numbers := make(chan int)
	for range threads {
		OnNewThread(func() { numbers <- unix.Gettid() })
	}
	for range threads {
		if n := <-numbers; n == unix.Getpid() {
			t.Error("on the main thread")
		}
	}
}
