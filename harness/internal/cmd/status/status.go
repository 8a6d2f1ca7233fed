// Package status is how a command ends: its exit status, the error that comes with it, and what is said of wrong usage.
// The root and the commands import it; it never prints.
package status

import (
	"errors"
	"fmt"
)

// The exit statuses, which `harness --help` lists.
const (
	Passed   = iota
	Failed   // something that was run failed
	Usage    // wrong usage, a bad file, nothing selected
	Cannot   // this machine cannot do it
	Leftover // something was left behind
)

// Cut is for a run that was cut short by something else than its cases: a signal, a limit of time or of the machine, a
// worker that was stopped or killed. It counts as a failure until it has a status of its own.
const Cut = Failed

// Error is an error with its exit status. One without a cause has nothing to say: what is wrong was printed already.
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

// Usagef is an error of whoever called.
func Usagef(format string, args ...any) error { return &Error{Usage, fmt.Errorf(format, args...)} }

// Cannotf is an error for want of something on this machine.
func Cannotf(format string, args ...any) error { return &Error{Cannot, fmt.Errorf(format, args...)} }

// With gives an error a status; nil stays nil.
func With(status int, err error) error {
	if err == nil {
		return nil
	}
	return &Error{status, err}
}

// Of is the status with which an error ends the program, and whether there is anything to say of it.
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
