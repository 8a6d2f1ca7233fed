// Package status holds the exit statuses of a command, errors that carry one, and the messages about wrong usage. The
// root and the commands import it; it never prints.
package status

import (
	"errors"
	"fmt"
	"strings"

	"netnscheck/harness/nearest"
)

// The exit statuses.
const (
	Passed   = iota
	Failed   // a case failed
	Usage    // wrong usage, a bad file, nothing selected
	Cannot   // this machine cannot run it
	Leftover // something was left behind
	// Cut is the status of a run that was cut short by something other than its cases: a signal, a limit of time or of
	// the machine, a worker that was stopped or killed, a report that could not be written. What it says of its cases
	// is not the whole truth, and what failed in it may have failed because of that.
	Cut
)

// Meanings are the meanings of the exit statuses, by their numbers, for people. Help, README and Vagrantfile have them.
var Meanings = []string{
	"everything passed",
	"something failed",
	"wrong usage, a bad file, or nothing was selected",
	"this machine cannot run it",
	"something was left behind",
	"it was interrupted, or what it runs on broke down",
}

// Error is an error with its exit status. Without a cause nothing is printed for it: what is wrong was printed before.
type Error struct {
	Status int
	Cause  error
	// Demanded is set if this machine cannot run what the user demands of it: that is no reason to skip.
	Demanded bool
}

func (e *Error) Error() string {
	if e.Cause == nil {
		return fmt.Sprintf("status %d", e.Status)
	}
	return e.Cause.Error()
}

func (e *Error) Unwrap() error { return e.Cause }

// Usagef is an error of the user, with the status Usage.
func Usagef(format string, args ...any) error {
	return &Error{Status: Usage, Cause: fmt.Errorf(format, args...)}
}

// Cannotf is an error because this machine lacks something, with the status Cannot.
func Cannotf(format string, args ...any) error {
	return &Error{Status: Cannot, Cause: fmt.Errorf(format, args...)}
}

// With gives an error a status; nil stays nil.
func With(status int, err error) error {
	if err == nil {
		return nil
	}
	return &Error{Status: status, Cause: err}
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

// The sets of exit statuses that a user may want.
const (
	Own       = "harness"
	Kselftest = "kselftest" // tools/testing/selftests/kselftest.h in the kernel's source
)

// Sets are the names of all of them.
var Sets = []string{Own, Kselftest}

// CheckSet checks the name of a set, the value of --exit-codes.
func CheckSet(name string) error {
	for _, set := range Sets {
		if set == name {
			return nil
		}
	}
	return Usagef("--exit-codes %q: want %s%s", name, strings.Join(Sets, " or "), nearest.DidYouMean(name, Sets))
}

// The exit statuses of kselftest that have a number of their own. There is none for a usage error or an interruption.
const (
	kselftestPass = 0
	kselftestFail = 1
	kselftestSkip = 4
)

// In is the exit status that an error means in a set: Of in its own one.
func In(set string, err error) int {
	own, _ := Of(err)
	if set != Kselftest {
		return own
	}
	var e *Error
	switch {
	case own == Passed:
		return kselftestPass
	case own == Cannot && !(errors.As(err, &e) && e.Demanded):
		return kselftestSkip
	}
	return kselftestFail
}
