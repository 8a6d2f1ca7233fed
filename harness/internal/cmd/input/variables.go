package input

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"netnscheck/harness/internal/cmd/status"
	"netnscheck/harness/nearest"
	"netnscheck/harness/scenario"
)

// Variables are what the user says about the variables of scenarios: --var, and --var-seed or --seed.
type Variables struct {
	set  []string
	seed string
}

// Flags adds the flags to those of a command.
func (v *Variables) Flags(flags *pflag.FlagSet) {
	flags.StringArrayVar(&v.set, "var", nil,
		"set a variable, `NAME=VALUE`; repeatable")
	flags.StringVar(&v.seed, "var-seed", "",
		"choose the other variables by this `SEED`, any text\n(default: the first value of each)")
}

// LabFlags adds the flags to those of a command about labs, where the seed is --seed. The use of that is described.
func (v *Variables) LabFlags(flags *pflag.FlagSet, seed string) {
	flags.StringArrayVar(&v.set, "var", nil, "set a variable, `NAME=VALUE`; repeatable")
	flags.StringVar(&v.seed, "seed", "", seed)
}

// Seed is the seed that is given, "" if there is none.
func (v *Variables) Seed() string { return v.seed }

// SetSeed gives a seed.
func (v *Variables) SetSeed(seed string) { v.seed = seed }

// Set are the values that are given, by the names of their variables.
func (v *Variables) Set() map[string]string {
	set := map[string]string{}
	for _, word := range v.set {
		name, value, _ := strings.Cut(word, "=")
		set[name] = value
	}
	return set
}

// Given reports whether there are any.
func (v *Variables) Given() bool { return len(v.set) > 0 || v.seed != "" }

// Args are the flags that say the same.
func (v *Variables) Args() []string {
	var args []string
	for _, word := range v.set {
		args = append(args, "--var", word)
	}
	if v.seed != "" {
		args = append(args, "--var-seed", v.seed)
	}
	return args
}

// Choose reads the scenarios that have variables again, with their values. A variable that none of them has is an
// error.
func (v *Variables) Choose(all []*scenario.Scenario) ([]*scenario.Scenario, error) {
	if !v.Given() {
		return all, nil
	}
	of, err := v.For(all)
	if err != nil {
		return nil, err
	}
	chosen := slices.Clone(all)
	var errs []error
	for i, sc := range all {
		if len(sc.Vars) == 0 {
			continue
		}
		var err error
		chosen[i], err = scenario.ParseWith(sc.File, []byte(sc.Source), of(sc))
		errs = append(errs, err)
	}
	return chosen, status.With(status.Usage, errors.Join(errs...))
}

// For are the values for each of the scenarios. A variable that none of them has is an error.
func (v *Variables) For(all []*scenario.Scenario) (of func(*scenario.Scenario) scenario.Values, err error) {
	set, err := v.values(all)
	if err != nil {
		return nil, err
	}
	return func(sc *scenario.Scenario) scenario.Values {
		own := scenario.Values{Seed: v.seed, Set: maps.Clone(set)}
		maps.DeleteFunc(own.Set, func(name, _ string) bool { return !has(sc, name) })
		return own
	}, nil
}

// ChooseOne is Choose for one scenario.
func (v *Variables) ChooseOne(sc *scenario.Scenario) (*scenario.Scenario, error) {
	all, err := v.Choose([]*scenario.Scenario{sc})
	if err != nil {
		return nil, err
	}
	return all[0], nil
}

// values are the values of --var.
func (v *Variables) values(all []*scenario.Scenario) (map[string]string, error) {
	set := map[string]string{}
	for _, word := range v.set {
		name, value, ok := strings.Cut(word, "=")
		_, twice := set[name]
		switch {
		case !ok || name == "":
			return nil, status.Usagef("--var %s: expected NAME=VALUE", word)
		case twice:
			return nil, status.Usagef("--var %s: %s has a value already", word, name)
		case !slices.ContainsFunc(all, func(sc *scenario.Scenario) bool { return has(sc, name) }):
			return nil, status.Usagef("--var %s: no scenario has the variable %s%s", word, name,
				nearest.DidYouMean(name, names(all)))
		}
		set[name] = value
	}
	return set, nil
}

func has(sc *scenario.Scenario, name string) bool {
	return slices.ContainsFunc(sc.Vars, func(v scenario.Var) bool { return v.Name == name })
}

func names(all []*scenario.Scenario) (names []string) {
	for _, sc := range all {
		for _, v := range sc.Vars {
			names = append(names, v.Name)
		}
	}
	return names
}

// Told are lines that say which values the scenarios have, if the user gave any.
func (v *Variables) Told(all []*scenario.Scenario) (lines []string) {
	for _, sc := range all {
		if !v.Given() || len(sc.Vars) == 0 {
			continue
		}
		words := make([]string, len(sc.Vars))
		for i, one := range sc.Vars {
			words[i] = one.Name + "=" + one.Value
		}
		lines = append(lines, fmt.Sprintf("variables of %s: %s", sc.ID, strings.Join(words, ", ")))
	}
	return lines
}
