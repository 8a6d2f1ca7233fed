package sandbox

import (
	"runtime"

	"golang.org/x/sys/unix"
)

// OnNewThread runs f on an OS thread that ends with f, so that nothing f did to it is ever seen by others: it is not
// the main one, which cannot end, and whose namespaces are those of the process for everybody else (/proc/PID/ns). It
// does not wait.
func OnNewThread(f func()) {
	go func() {
		runtime.LockOSThread()
		if unix.Gettid() != unix.Getpid() {
			f()
			return // still locked: the runtime ends the thread
		}
		// Keep the main thread until f is on another one, then give it back untouched.
		elsewhere := make(chan struct{})
		go func() {
			runtime.LockOSThread()
			close(elsewhere)
			f()
		}()
		<-elsewhere
		runtime.UnlockOSThread()
	}()
}
