// Package merge makes one report of the shards of a run (`--shard`), as if it had been played at once. It is a function
// of reports, for the commands alone to import; it never reads or writes a file.
package merge

import (
	"cmp"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"netnscheck/harness/term"
	"netnscheck/reports"
)

// Shards makes one run of all shards of a plan, in any order; the same report may be among them twice. It is an error
// if one is missing, if they are no shards of the same plan, if two are the same shard with different results, and if
// one does not have the cases of its plan. The duration of the whole is the sum of theirs, since they may have run side
// by side or days apart.
func Shards(all []reports.Saved) (*reports.Run, error) {
	shards, err := complete(all)
	if err != nil {
		return nil, err
	}
	suites, err := inOrder(shards)
	if err != nil {
		return nil, err
	}
	whole := &reports.Run{Started: shards[0].Started, Properties: properties(shards), Suites: suites}
	var hosts, unable []string
	for _, s := range shards {
		if s.Started.Before(whole.Started) {
			whole.Started = s.Started
		}
		whole.Duration += s.Duration
		if s.Hostname != "" && !slices.Contains(hosts, s.Hostname) {
			hosts = append(hosts, s.Hostname)
		}
		whole.Cut = whole.Cut || s.Cut
		if s.Unable != "" {
			unable = append(unable, title(s)+": "+s.Unable)
		}
		for _, p := range s.Problems {
			whole.Problems = append(whole.Problems, title(s)+": "+p)
		}
		whole.Unmet += s.Unmet
		for _, l := range s.Leftovers {
			whole.Leftovers = append(whole.Leftovers, title(s)+": "+l)
		}
	}
	whole.Hostname = strings.Join(hosts, ", ")
	if len(unable) == len(shards) {
		whole.Unable = shards[0].Unable
	} else if len(unable) > 0 { // the others have run: the whole was cut short
		whole.Cut, whole.Problems = true, append(unable, whole.Problems...)
	}
	whole.LeftOut, whole.Install = leftOut(shards)
	return whole, nil
}

func title(s reports.Saved) string { return "shard " + s.Shard.String() }

// these are shards in words.
func these(numbers []string) string {
	if len(numbers) == 1 {
		return "shard " + numbers[0]
	}
	return "shards " + reports.And(numbers)
}

// complete checks that the reports are all shards of one plan, and orders them by their numbers.
func complete(all []reports.Saved) ([]reports.Saved, error) {
	first := all[0]
	var shards []reports.Saved
	for _, s := range all {
		switch {
		case s.Shard == nil:
			return nil, fmt.Errorf("merge %s: it is no shard: its run was made without --shard", s.File)
		case s.Shard.Of != first.Shard.Of:
			return nil, fmt.Errorf("merge %s and %s: one is %s and the other %s", first.File, s.File, title(first), title(s))
		case s.Shard.Plan != first.Shard.Plan:
			return nil, fmt.Errorf("merge %s and %s: they are shards of different plans: %s", first.File, s.File,
				different(first.Shard.Suites, s.Shard.Suites))
		}
		i := slices.IndexFunc(shards, func(other reports.Saved) bool { return other.Shard.Number == s.Shard.Number })
		if i < 0 {
			shards = append(shards, s)
		} else if !reflect.DeepEqual(shards[i].Run, s.Run) {
			return nil, fmt.Errorf("merge %s and %s: both are %s%s; leave out the one that does not count", shards[i].File,
				s.File, title(s), disagreement(shards[i].Run, s.Run))
		}
	}
	slices.SortFunc(shards, func(a, b reports.Saved) int { return cmp.Compare(a.Shard.Number, b.Shard.Number) })
	var missing []string
	for n := 1; n <= first.Shard.Of; n++ {
		if !slices.ContainsFunc(shards, func(s reports.Saved) bool { return s.Shard.Number == n }) {
			missing = append(missing, fmt.Sprintf("%d/%d", n, first.Shard.Of))
		}
	}
	if len(missing) > 0 {
		return nil, fmt.Errorf("merge the shards: %s missing", these(missing))
	}
	return shards, nil
}

// different says in what two plans differ.
func different(a, b []string) string {
	for _, side := range []struct {
		has, lacks []string
		words      string
	}{{a, b, "only the first has %s"}, {b, a, "only the second has %s"}} {
		for _, name := range side.has {
			if !slices.Contains(side.lacks, name) {
				return fmt.Sprintf(side.words, term.OneLine(name))
			}
		}
	}
	if !slices.Equal(a, b) {
		return "their order differs (--seed)"
	}
	return "their cases or the values of variables differ"
}

// disagreement names the first case of which two reports of a shard say different things.
func disagreement(a, b *reports.Run) string {
	type name struct{ suite, name string }
	outcomes := map[name]*reports.Case{}
	for i := range a.Suites {
		for j := range a.Suites[i].Cases {
			c := &a.Suites[i].Cases[j]
			outcomes[name{a.Suites[i].Name(), c.Name}] = c
		}
	}
	for i := range b.Suites {
		for j := range b.Suites[i].Cases {
			c := &b.Suites[i].Cases[j]
			if other := outcomes[name{b.Suites[i].Name(), c.Name}]; other != nil && other.Outcome != c.Outcome {
				return fmt.Sprintf(", with different results of %s “%s”: %s and %s", term.OneLine(b.Suites[i].Name()),
					term.OneLine(c.Name), other.Outcome, c.Outcome)
			}
		}
	}
	return ", of different runs"
}

// inOrder are the suites of all shards in the order of the plan, each of them once.
func inOrder(shards []reports.Saved) ([]reports.Suite, error) {
	from := map[string]reports.Saved{}
	suites := map[string]reports.Suite{}
	plan := shards[0].Shard.Suites
	for _, s := range shards {
		for _, suite := range s.Suites {
			name := suite.Name()
			if other, twice := from[name]; twice {
				return nil, fmt.Errorf("merge %s and %s: both have the suite %s", other.File, s.File, term.OneLine(name))
			}
			if !slices.Contains(plan, name) {
				return nil, fmt.Errorf("merge %s: the suite %s is not in its plan", s.File, term.OneLine(name))
			}
			from[name], suites[name] = s, suite
		}
	}
	var all []reports.Suite
	for _, name := range plan {
		suite, ok := suites[name]
		if !ok {
			return nil, fmt.Errorf("merge the shards: none has the suite %s of their plan", term.OneLine(name))
		}
		all = append(all, suite)
	}
	var whole reports.Shard
	if whole.Describe(all); whole.Plan != shards[0].Shard.Plan {
		return nil, errors.New("merge the shards: they do not have the cases of their plan")
	}
	return all, nil
}

// properties are those of the shards; what differs between them is told with the shards that say so.
func properties(shards []reports.Saved) []reports.Property {
	all := []reports.Property{}
	for _, s := range shards {
		for _, p := range s.Properties {
			known := slices.ContainsFunc(all, func(other reports.Property) bool { return other.Name == p.Name })
			if p.Name != reports.ShardProperty && !known {
				all = append(all, reports.Property{Name: p.Name, Value: values(shards, p.Name)})
			}
		}
	}
	return append(all, reports.Property{Name: reports.ShardsProperty, Value: fmt.Sprint(len(shards))})
}

// values are the values of a property in all shards: the value, or `6.1 (shards 1 and 3); 6.12 (shard 2)`.
func values(shards []reports.Saved, name string) string {
	var order []string
	saying := map[string][]string{}
	for _, s := range shards {
		for _, p := range s.Properties {
			if p.Name != name {
				continue
			}
			if saying[p.Value] == nil {
				order = append(order, p.Value)
			}
			saying[p.Value] = append(saying[p.Value], fmt.Sprint(s.Shard.Number))
		}
	}
	if len(order) == 1 && len(saying[order[0]]) == len(shards) {
		return order[0]
	}
	var words []string
	for _, value := range order {
		words = append(words, fmt.Sprintf("%s (%s)", value, these(saying[value])))
	}
	return strings.Join(words, "; ")
}

// leftOut is what was left out by any shard, and the commands that install it.
func leftOut(shards []reports.Saved) (all []reports.LeftOut, install string) {
	var commands []string
	for _, s := range shards {
		for _, l := range s.LeftOut {
			i := slices.IndexFunc(all, func(other reports.LeftOut) bool {
				return other.Driver == l.Driver && other.Reason == l.Reason
			})
			if i < 0 {
				all = append(all, l)
			} else {
				all[i].Cases += l.Cases
			}
		}
		if s.Install != "" && !slices.Contains(commands, s.Install) {
			commands = append(commands, s.Install)
		}
	}
	return all, strings.Join(commands, " && ")
}
