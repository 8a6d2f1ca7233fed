package rtnetlink

import (
	"errors"
	"fmt"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// Refused is the error of an operation that was turned down, by the kernel or because what it names is not there.
type Refused struct {
	// Errno is the kernel's answer, 0 when nobody gave one.
	Errno syscall.Errno
	// Message is the extended acknowledgement, what iproute2 says in its place, or the errno in words.
	Message string
	// Status is the exit status with which iproute2 tells of it: 2 for what the kernel answers to the request itself, 1
	// or 255 for what comes before the request.
	Status int
}

func (e *Refused) Error() string {
	if name := errnoName(e.Errno); name != "" {
		return e.Message + " (" + name + ")"
	}
	return e.Message
}

// errnoName is the name of an errno as the kernel's own sources have it; "" for none.
func errnoName(errno syscall.Errno) string {
	if errno == unix.EOPNOTSUPP { // has another name with the same number, which the library prefers
		return "EOPNOTSUPP"
	}
	return unix.ErrnoName(errno)
}

func (e *Refused) Unwrap() error {
	if e.Errno == 0 {
		return nil
	}
	return e.Errno
}

// answered makes a refusal of the error with which a netlink request ended; the library joins errno and extended
// acknowledgement by a colon.
func answered(err error) error {
	var errno syscall.Errno
	if !errors.As(err, &errno) {
		return err
	}
	message := strings.TrimPrefix(err.Error(), errno.Error()+": ")
	return &Refused{Errno: errno, Message: message, Status: 2}
}

// refuse makes a refusal, with this exit status, of an error that wraps an errno; any other error stays what it is.
func refuse(status int, err error, format string, args ...any) error {
	var errno syscall.Errno
	if !errors.As(err, &errno) {
		return err
	}
	return &Refused{Errno: errno, Message: fmt.Sprintf(format, args...) + ": " + errno.Error(), Status: status}
}

// wrong is a refusal that asks nobody: the word cannot mean anything here.
func wrong(format string, args ...any) error {
	return &Refused{Message: fmt.Sprintf(format, args...), Status: 255}
}

func noDevice(name string) error {
	return &Refused{Errno: unix.ENODEV, Message: fmt.Sprintf("Cannot find device %q", name), Status: 1}
}
