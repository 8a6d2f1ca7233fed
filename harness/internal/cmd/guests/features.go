package guests

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"netnscheck/harness/internal/cmd/machine"
	"netnscheck/harness/internal/cmd/status"
	"netnscheck/harness/internal/kernel"
	"netnscheck/harness/internal/vm/kernels"
	"netnscheck/harness/internal/vm/matrix"
	"netnscheck/harness/term"
	"netnscheck/reports"
)

// Features asks the doctor of a guest which features its kernel has.
func (r *Rig) Features(ctx context.Context, row matrix.Row, folder string,
	tell func(News)) ([]machine.Feature, kernels.Kernel, error) {
	answer, k, end := r.Ask(ctx, row, []string{"doctor", "--json"}, folder, tell)
	if end.Class != reports.GuestPassed {
		how := status.Failed
		switch end.Class {
		case NotStarted:
			how = status.Cannot
		case NoResult:
			how = status.Cut
		}
		return nil, k, status.With(how,
			fmt.Errorf("try the features of %s: %s: %s", row.Name(), end.Class, term.OneLine(end.Words)))
	}
	var said struct {
		Features []machine.Feature `json:"features"`
	}
	if err := json.Unmarshal([]byte(answer), &said); err != nil {
		return nil, k, fmt.Errorf("read the features of %s: %w", row.Name(), err)
	}
	return said.Features, k, checkFindings(row, said.Features)
}

// checkFindings accepts the known features, each once, with a known word for each.
func checkFindings(row matrix.Row, found []machine.Feature) error {
	words := kernel.Words()
	if len(found) != len(words) {
		return fmt.Errorf("read the features of %s: %d were tried, and it tells of %d", row.Name(), len(words), len(found))
	}
	known := []string{kernel.Present.String(), kernel.Absent.String(), kernel.Unknown.String()}
	for i, f := range found {
		if f.Name != words[i] || !slices.Contains(known, f.Presence) {
			return fmt.Errorf("read the features of %s: %s was tried, and %.64q is told as %.64q", row.Name(), words[i], f.Name,
				f.Presence)
		}
	}
	return nil
}
