package program

import (
	"errors"
	"testing"

	"netnscheck/harness/scenario"
)

func TestInstalled(t *testing.T) {
	held, refused := scenario.Status{}, scenario.Status{Any: true}
	for _, c := range []struct {
		line    string
		status  scenario.Status
		missing string // "" when nothing is
	}{
		{"sh -c true", held, ""},
		{"no-such-program", held, "no-such-program"},
		{"no-such-program", refused, "no-such-program"}, // without a namespace nobody refuses it
		{"ip netns exec a sh -c true", held, ""},
		{"ip netns exec a no-such-program", held, "no-such-program"},
		{"ip netns exec a no-such-program", refused, ""},
		{"ip netns exec a no-such-program", scenario.Status{Code: 255}, ""},
		{"ip -n a netns exec b no-such-program", held, "no-such-program"},
		{"ip netns exec a ip netns exec b no-such-program", held, "no-such-program"},
	} {
		argv, err := scenario.Words(c.line)
		if err != nil {
			t.Fatal(err)
		}
		err = Installed(scenario.Command{Argv: argv, Status: c.status})
		var unavailable *scenario.Unavailable
		switch {
		case c.missing == "" && err != nil:
			t.Errorf("%s, %+v: %v", c.line, c.status, err)
		case c.missing != "" && (!errors.As(err, &unavailable) || *unavailable != *NotInstalled(c.missing).(*scenario.Unavailable)):
			t.Errorf("%s, %+v: %v, want that %s is missing", c.line, c.status, err, c.missing)
		}
	}
}
