package sandbox

import (
	"runtime"

	"golang.org/x/sys/unix"
)

// OnNewThread runs f on an OS thread that ends with f, so that nothing f did to the thread affects other code. It is
// never the main thread, which cannot end and whose namespaces others see as those of the process (/proc/PID/ns). It
// does not wait for f.
func OnNewThread(f func()) {
	go func() {
		runtime.LockOSThread()
		if unix.Gettid() != unix.Getpid() {
			f()
			return // still locked: the runtime ends the thread
		}
		// Occupy the main thread until f is on another one, then release it unchanged.
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
