package rtnetlink

import (
	"errors"
	"fmt"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// Refused is the error of an operation that the kernel refused, or that names something that does not exist.
type Refused struct {
	// Errno is the kernel's answer, 0 if the kernel was not asked.
	Errno syscall.Errno
	// Message is the extended acknowledgement, iproute2's message, or the errno in words.
	Message string
	// Status is iproute2's exit status: 2 if the kernel refused the request itself, 1 or 255 for an error before it.
	Status int
}

func (e *Refused) Error() string {
	if name := errnoName(e.Errno); name != "" {
		return e.Message + " (" + name + ")"
	}
	return e.Message
}

// errnoName is the symbolic name of an errno, as in the kernel's sources; "" for 0.
func errnoName(errno syscall.Errno) string {
	if errno == unix.EOPNOTSUPP { // unix.ErrnoName returns ENOTSUP, which has the same number
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

// answered turns the error of a netlink request into a *Refused. The library formats it as errno, colon, extended
// acknowledgement.
func answered(err error) error {
	var errno syscall.Errno
	if !errors.As(err, &errno) {
		return err
	}
	message := strings.TrimPrefix(err.Error(), errno.Error()+": ")
	return &Refused{Errno: errno, Message: message, Status: 2}
}

// refuse turns an error that wraps an errno into a *Refused with this exit status; it returns any other error
// unchanged.
func refuse(status int, err error, format string, args ...any) error {
	var errno syscall.Errno
	if !errors.As(err, &errno) {
		return err
	}
	return &Refused{Errno: errno, Message: fmt.Sprintf(format, args...) + ": " + errno.Error(), Status: status}
}

// wrong is a refusal without asking the kernel: the word is invalid here. Its exit status is that of iproute2's usage
// errors.
func wrong(format string, args ...any) error {
	return &Refused{Message: fmt.Sprintf(format, args...), Status: 255}
}

func noDevice(name string) error {
	return &Refused{Errno: unix.ENODEV, Message: fmt.Sprintf("Cannot find device %q", name), Status: 1}
}
