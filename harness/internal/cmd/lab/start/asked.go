package start

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"time"

	"github.com/spf13/pflag"

	"netnscheck/harness/fault"
	"netnscheck/harness/internal/cmd/input"
	"netnscheck/harness/internal/cmd/status"
	"netnscheck/harness/scenario"
	"netnscheck/harness/sitting/progress"
)

// asked is what the user asks for of a lab. All of it is kept with his progress, except fresh.
type asked struct {
	values    input.Variables
	challenge input.Challenge
	exam      bool
	fresh     bool
	flags     *pflag.FlagSet
}

func (a *asked) addFlags(flags *pflag.FlagSet) {
	a.flags = flags
	a.challenge.Flags(flags, "find the fault: the network that a lesson ends with,\nin which something is broken")
	a.values.LabFlags(flags,
		"choose the faults, and the values of variables, by\nthis `SEED`, any text: the same for a class, "+
			"or each\nlearner his own, such as a name")
	flags.BoolVar(&a.exam, "exam", false, "give no hints, reasons or solutions")
	flags.BoolVar(&a.fresh, "fresh", false, "begin anew: forget what was done before")
}

// check refuses what no lab can be begun with.
func (a *asked) check() error {
	if a.flags.Changed("seed") && a.values.Seed() == "" {
		return status.Usagef("--seed is empty: want any text, such as a name")
	}
	return a.challenge.Check()
}

// variant is what is done with the scenario, for the name of the lab.
func (a *asked) variant() string {
	if a.challenge.On {
		return "challenge"
	}
	return ""
}

// begun is the progress of a learner who begins the scenario with what was asked for. Faults that no seed is given for
// are chosen at random.
func (a *asked) begun(sc *scenario.Scenario) *progress.File {
	f := progress.New(sc, time.Now())
	if a.challenge.On {
		c := progress.Challenge{Faults: a.challenge.Faults, Level: a.challenge.Level, Seed: a.values.Seed()}
		if c.Seed == "" {
			c.Seed = strconv.Itoa(100000 + rand.IntN(900000))
		}
		f = progress.NewChallenge(sc, fault.Outline(sc, c.Faults), c, time.Now())
	}
	f.Seed, f.Exam = a.values.Seed(), a.exam
	return f
}

// as takes what a lab was begun with for what is asked for, where nothing else is: it is to begin anew, with another
// text of the scenario.
func (a *asked) as(f *progress.File) {
	if !a.values.Given() {
		a.values.SetSeed(f.Seed)
	}
	a.exam = a.exam || f.Exam
	if c := f.Challenge; c != nil {
		if a.values.Seed() == "" {
			a.values.SetSeed(c.Seed)
		}
		if !a.challenge.FaultsGiven() {
			a.challenge.Faults = c.Faults
		}
		if !a.challenge.LevelGiven() {
			a.challenge.Level = c.Level
		}
	}
}

// other says what is asked for that is not what the lab was begun with; "" if nothing is.
func (a *asked) other(sc *scenario.Scenario, f *progress.File) string {
	seed := f.Seed
	if c := f.Challenge; c != nil {
		seed = c.Seed
		switch own := a.challenge; {
		case own.FaultsGiven() && own.Faults != c.Faults:
			return fmt.Sprintf("--faults %d, not %d", c.Faults, own.Faults)
		case own.LevelGiven() && c.Level == 0:
			return fmt.Sprintf("faults of any level, not of level %d", own.Level)
		case own.LevelGiven() && own.Level != c.Level:
			return fmt.Sprintf("--level %d, not %d", c.Level, own.Level)
		}
	}
	asked := a.values.Seed()
	switch {
	case asked == "" || asked == seed || len(sc.Vars) == 0 && f.Challenge == nil:
	case seed == "":
		return fmt.Sprintf("no seed, not with --seed %s", asked)
	default:
		return fmt.Sprintf("--seed %s, not %s", seed, asked)
	}
	set := a.values.Set()
	for _, name := range slices.Sorted(maps.Keys(set)) {
		if kept, value := f.Variables[name], set[name]; kept != value {
			return fmt.Sprintf("%s=%s, not %s", name, kept, value)
		}
	}
	if a.exam && !f.Exam {
		return "help, not with --exam"
	}
	return ""
}
