package lab

import (
	"context"
	"errors"

	"netnscheck/harness/scenario"
)

// Absent replaces a planned driver that this process cannot find, for example because the sandbox cannot read a folder
// of PATH. It runs nothing: every section is skipped, with the error as the reason.
func Absent(name string, err error) Driver {
	var lacking *scenario.Unavailable
	if !errors.As(err, &lacking) {
		lacking = &scenario.Unavailable{Reason: err.Error()}
	}
	return absent{name, lacking}
}

type absent struct {
	name    string
	lacking *scenario.Unavailable
}

func (a absent) Name() string { return a.name }

func (a absent) CanSay(scenario.Command) error { return a.lacking }

func (a absent) Run(_ context.Context, _ *Lab, cmd scenario.Command) (scenario.Exchange, error) {
	return scenario.Exchange{Line: cmd.Line, Command: cmd.Text}, a.lacking
}
