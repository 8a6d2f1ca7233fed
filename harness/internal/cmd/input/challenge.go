package input

import (
	"fmt"

	"github.com/spf13/pflag"

	"netnscheck/harness/fault"
	"netnscheck/harness/internal/cmd/status"
)

// Challenge is what the user says about the faults of a network: --challenge, --faults and --level. Their seed is that
// of Variables.
type Challenge struct {
	On     bool
	Faults int
	// Level is 0 for any.
	Level int
	flags *pflag.FlagSet
}

// Flags adds the flags to those of a command; use is that of --challenge.
func (c *Challenge) Flags(flags *pflag.FlagSet, use string) {
	c.flags = flags
	flags.BoolVar(&c.On, "challenge", false, use)
	flags.IntVar(&c.Faults, "faults", 1, fmt.Sprintf(
		"with --challenge: this `NUMBER` of faults,\n1 to %d", fault.Most))
	flags.IntVar(&c.Level, "level", 0, fmt.Sprintf(
		"with --challenge: how hard they are to see, `LEVEL`\n1 to %d (default: any)", fault.Levels))
}

// FaultsGiven and LevelGiven report whether the user says how many and of which level.
func (c *Challenge) FaultsGiven() bool { return c.flags.Changed("faults") }
func (c *Challenge) LevelGiven() bool  { return c.flags.Changed("level") }

// Check refuses what there cannot be.
func (c *Challenge) Check() error {
	for _, name := range []string{"faults", "level"} {
		if c.flags.Changed(name) && !c.On {
			return status.Usagef("--%s is about the faults of --challenge, which is not there", name)
		}
	}
	switch {
	case c.Faults < 1 || c.Faults > fault.Most:
		return status.Usagef("--faults %d: want 1 to %d", c.Faults, fault.Most)
	case c.LevelGiven() && (c.Level < 1 || c.Level > fault.Levels):
		return status.Usagef("--level %d: want 1 to %d", c.Level, fault.Levels)
	}
	return nil
}
