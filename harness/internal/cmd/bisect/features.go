package bisect

import (
	"context"
	"path/filepath"
	"slices"

	"netnscheck/harness/internal/cmd/guests"
	"netnscheck/harness/internal/cmd/machine"
	"netnscheck/harness/internal/cmd/play"
	"netnscheck/harness/internal/cmd/status"
	"netnscheck/harness/internal/kernel"
	"netnscheck/harness/internal/specrun"
	"netnscheck/harness/internal/vm/matrix"
	"netnscheck/harness/term"
	"netnscheck/reports"
)

// takeFeatures takes the features that blocks depend on as they are on the good kernel, for all kernels: what a
// scenario says of kernels with and without a feature is true on both, and a change of that feature would not show. It
// reports whether there are such features, and says which.
func (s *search) takeFeatures(ctx context.Context) (bool, error) {
	asked := conditional(s.work.plan, s.choice.Taken)
	if len(asked) == 0 {
		return false, nil
	}
	row := matrix.Row{Kernel: s.row[0].Release}
	folder := filepath.Join(guests.Folder(s.output, row), "features")
	all, _, err := s.rig.Features(ctx, row, folder, func(n guests.News) { s.going(row.Kernel, "its features", n) })
	s.clear()
	if ctx.Err() != nil {
		return false, failure(ctx, context.Cause(ctx))
	}
	if how, _ := status.Of(err); err != nil && how == status.Cannot {
		return false, err
	}
	if err != nil {
		s.say("The features of %s cannot be told, so that blocks follow each kernel: %v", title(s.row[0]), err)
		return false, nil
	}
	taken, untold := takenFrom(all, asked)
	if len(untold) > 0 {
		s.say("%s: cannot be told on %s, so that blocks follow each kernel", reports.And(untold), title(s.row[0]))
	}
	if len(taken) == 0 {
		return false, nil
	}
	for feature, has := range taken {
		s.choice.Take(feature, has)
	}
	s.say("No case is good on %s and bad on %s. Blocks are now played on each kernel as on the good one: %s",
		title(s.row[0]), title(s.row[len(s.row)-1]), play.TakenWords(taken))
	s.work.Work = guests.NewWork(&s.choice, s.work.what, s.work.plan)
	return true, nil
}

// conditional are the features on which blocks of the plan depend, without those that are taken already.
func conditional(plan []specrun.Planned, taken map[string]bool) (features []string) {
	for _, p := range plan {
		if p.Job.Scenario == nil {
			continue
		}
		for _, feature := range p.Job.Scenario.Conditional() {
			if _, known := taken[feature]; !known && !slices.Contains(features, feature) {
				features = append(features, feature)
			}
		}
	}
	return features
}

// takenFrom tells which of these features were found present or absent, and of which that could not be told.
func takenFrom(found []machine.Feature, features []string) (taken map[string]bool, untold []string) {
	taken = map[string]bool{}
	for _, f := range found {
		switch {
		case !slices.Contains(features, f.Name):
		case f.Presence == kernel.Unknown.String():
			untold = append(untold, term.OneLine(f.Name))
		default:
			taken[f.Name] = f.Presence == kernel.Present.String()
		}
	}
	return taken, untold
}
