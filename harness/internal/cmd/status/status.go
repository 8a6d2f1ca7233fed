// Package status holds the exit statuses of a command, errors that carry one, and the messages about wrong usage. The
// root and the commands import it; it never prints.
package status

import (
	"errors"
	"fmt"
)

// The exit statuses, which `harness --help` lists.
const (
	Passed   = iota
	Failed   // a case failed
	Usage    // wrong usage, a bad file, nothing selected
	Cannot   // this machine cannot run it
	Leftover // something was left behind
)

// Cut is the status of a run that was cut short by something other than its cases: a signal, a limit of time or of the
// machine, a worker that was stopped or killed. It is the same as Failed.
const Cut = Failed

// Error is an error with its exit status. Without a cause nothing is printed for it: what is wrong was printed before.
type Error struct {
	Status int
	Cause  error
}

func (e *Error) Error() string {
	if e.Cause == nil {
		return fmt.Sprintf("status %d", e.Status)
	}
	return e.Cause.Error()
}

func (e *Error) Unwrap() error { return e.Cause }

// Usagef is an error of the user, with the status Usage.
func Usagef(format string, args ...any) error { return &Error{Usage, fmt.Errorf(format, args...)} }

// Cannotf is an error because this machine lacks something, with the status Cannot.
func Cannotf(format string, args ...any) error { return &Error{Cannot, fmt.Errorf(format, args...)} }

// With gives an error a status; nil stays nil.
func With(status int, err error) error {
	if err == nil {
		return nil
	}
	return &Error{status, err}
}

// Of returns the exit status that an error means; silent if nothing is to be printed for it.
func Of(err error) (status int, silent bool) {
	var e *Error
	switch {
	case err == nil:
		return Passed, true
	case errors.As(err, &e):
		return e.Status, e.Cause == nil
	}
	return Failed, false
}
