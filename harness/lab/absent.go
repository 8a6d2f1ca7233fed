package lab

import (
	"context"
	"errors"

	"netnscheck/harness/scenario"
)

// Absent stands for a driver that was to play and is not found in this process, such as in a sandbox in which a folder
// of PATH is closed. It says nothing, and each section is skipped for what is missing.
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
