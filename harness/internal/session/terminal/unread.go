package terminal

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// Unread waits until nobody reads what is written to a file any more: the reader of a pipe has gone, or a terminal was
// closed. It reports false if that cannot be told. For a file on a disk it waits for ever.
func Unread(out *os.File) bool {
	for {
		fds := []unix.PollFd{{Fd: int32(out.Fd())}} // errors and a hang-up are told unasked, poll(2)
		n, err := unix.Poll(fds, -1)
		switch {
		case errors.Is(err, unix.EINTR):
		case err != nil:
			return false
		case n > 0:
			return fds[0].Revents&unix.POLLNVAL == 0
		}
	}
}
