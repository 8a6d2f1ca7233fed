package play

import (
	"strconv"

	"github.com/spf13/cobra"

	"netnscheck/harness/internal/cmd/status"
	"netnscheck/harness/nearest"
)

// Again says what is played more than once, and what becomes of a run in which the plays of a case do not agree.
type Again struct {
	Retries int // of scenarios in which a case failed
	Repeat  int // how many times everything is played
	flaky   string
}

// What becomes of a run with flaky cases.
const flakyFails, flakyPasses = "fail", "pass"

// Flags adds the flags to a command.
func (a *Again) Flags(c *cobra.Command) {
	flags := c.Flags()
	flags.IntVar(&a.Retries, "retries", 0,
		"play a scenario in which a case failed again, at\nmost this `NUMBER` of times: does it pass now?")
	flags.IntVar(&a.Repeat, "repeat", 1, "play everything this `NUMBER` of times")
	flags.StringVar(&a.flaky, "flaky", flakyFails, "`VERDICT` on a run with flaky cases:\nfail or pass")
	c.RegisterFlagCompletionFunc("flaky",
		cobra.FixedCompletions([]string{flakyFails, flakyPasses}, cobra.ShellCompDirectiveNoFileComp))
}

// Check refuses what contradicts itself.
func (a *Again) Check() error {
	switch {
	case a.Retries < 0:
		return status.Usagef("--retries %d: want a number of times", a.Retries)
	case a.Repeat < 1:
		return status.Usagef("--repeat %d: want at least 1", a.Repeat)
	case a.Retries > 0 && a.Repeat > 1:
		return status.Usagef("--retries and --repeat exclude each other: the latter plays everything again anyway")
	case a.flaky != flakyFails && a.flaky != flakyPasses:
		return status.Usagef("--flaky %q: want %s or %s%s", a.flaky, flakyFails, flakyPasses,
			nearest.DidYouMean(a.flaky, []string{flakyFails, flakyPasses}))
	}
	return nil
}

// Plays is how often a case is played at most.
func (a *Again) Plays() int { return max(a.Repeat, a.Retries+1) }

// FlakyPasses is set if flaky cases keep no run from passing.
func (a *Again) FlakyPasses() bool { return a.flaky == flakyPasses }

// Args are the flags that say the same.
func (a *Again) Args() (args []string) {
	if a.Retries > 0 {
		args = append(args, "--retries", strconv.Itoa(a.Retries))
	}
	if a.Repeat > 1 {
		args = append(args, "--repeat", strconv.Itoa(a.Repeat))
	}
	if a.Plays() > 1 {
		args = append(args, "--flaky", a.flaky)
	}
	return args
}
