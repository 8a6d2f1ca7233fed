package run

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/pflag"

	"netnscheck/harness/internal/cmd/input"
	"netnscheck/harness/internal/cmd/play"
	"netnscheck/harness/internal/cmd/status"
	"netnscheck/harness/internal/evidence"
	"netnscheck/harness/internal/kernel"
	"netnscheck/harness/scenario"
	"netnscheck/harness/term"
	"netnscheck/reports"
)

// conditions are the flags that say what is played and how, which a folder of evidence says itself.
var conditions = []string{"driver", "label-filter", "focus", "seed", "var", "var-seed", "with", "without",
	"strict-output", "shard", "baseline"}

// alone refuses what contradicts --reproduce.
func (o *options) alone(flags *pflag.FlagSet) error {
	if o.reproduce == "" {
		if flags.Changed("reproduce") {
			return status.Usagef("--reproduce: the name of a folder is missing")
		}
		return nil
	}
	if len(o.choice.Names) > 0 {
		return status.Usagef("--reproduce %s and %s exclude each other: the folder says what is played", o.reproduce,
			o.choice.Names[0])
	}
	for _, flag := range conditions {
		if flags.Changed(flag) {
			return status.Usagef("--reproduce and --%s exclude each other: the folder says how its case is played", flag)
		}
	}
	return nil
}

// readEvidence reads the folder of --reproduce, makes its conditions the choice, and returns its scenario; nil without
// the flag. No evidence is kept of a case that is reproduced: it is there already.
func (o *options) readEvidence(ctx context.Context) ([]*scenario.Scenario, error) {
	if o.reproduce == "" {
		return nil, nil
	}
	sc, err := o.chooseReproduced(ctx)
	if err != nil {
		return nil, status.With(status.Usage, fmt.Errorf("reproduce %s: %w", o.reproduce, err))
	}
	o.evidence = false
	return []*scenario.Scenario{sc}, nil
}

func (o *options) chooseReproduced(ctx context.Context) (*scenario.Scenario, error) {
	if _, err := os.Stat(filepath.Join(o.reproduce, evidence.CaseFile)); errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("it is no folder of evidence: there is no %s in it", evidence.CaseFile)
	}
	file, err := input.Text(ctx, filepath.Join(o.reproduce, evidence.CaseFile))
	if err != nil {
		return nil, err
	}
	text, err := input.Text(ctx, filepath.Join(o.reproduce, evidence.Scenario))
	if err != nil {
		return nil, err
	}
	c, err := evidence.DecodeCase(file, text)
	if err != nil {
		return nil, err
	}
	sc, err := scenario.ParseWith(c.File, text, scenario.Values{Set: c.Variables})
	if err != nil {
		return nil, err
	}
	if o.choice.Case != "" && o.choice.Case != c.ID {
		return nil, fmt.Errorf("it is about the case %s, not %s", c.ID, o.choice.Case)
	}
	if !slices.ContainsFunc(sc.Cases(c.Driver), func(one scenario.Case) bool { return one.ID == c.ID }) {
		return nil, fmt.Errorf("the scenario has no case %s", c.ID)
	}
	for feature, has := range c.Taken {
		if !slices.Contains(kernel.Words(), feature) {
			return nil, fmt.Errorf("this program knows no feature %q", feature)
		}
		o.choice.Take(feature, has)
	}
	o.choice.Case, o.choice.Drivers, o.choice.Seed = c.ID, []string{c.Driver}, c.Seed
	o.choice.StrictOutput = c.StrictOutput
	return sc, nil
}

// playAgain gives each suite the command that plays it again.
func (o *options) playAgain(suites []reports.Suite) {
	if o.reproduce == "" {
		o.choice.Again(o.command(), suites)
		return
	}
	for i := range suites {
		suites[i].Again = o.command() + " --reproduce " + term.ShellWord(o.reproduce)
	}
}

// openEvidence is where evidence is kept, nil if none is to be kept.
func (o *options) openEvidence() (*play.Evidence, error) {
	if !o.evidence {
		return nil, nil
	}
	e, err := play.OpenEvidence(o.reporting.Output)
	return e, status.With(status.Usage, err)
}
