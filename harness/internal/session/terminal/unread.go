package terminal

import (
	"errors"
	"os"
	"syscall"
)

// Unread waits until nobody reads what is written to a file any more: the reader of a pipe has gone, or a terminal was
// closed. It reports false if that cannot be told, as for a file on a disk.
func Unread(out *os.File) bool {
	poll, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
	if err != nil {
		return false
	}
	defer syscall.Close(poll)
	// Errors and a hang-up are told unasked, epoll_ctl(2).
	if syscall.EpollCtl(poll, syscall.EPOLL_CTL_ADD, int(out.Fd()), &syscall.EpollEvent{}) != nil {
		return false
	}
	for {
		n, err := syscall.EpollWait(poll, make([]syscall.EpollEvent, 1), -1)
		if errors.Is(err, syscall.EINTR) {
			continue
		}
		return err == nil && n > 0
	}
}
