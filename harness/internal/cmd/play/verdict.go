package play

import (
	"errors"

	"netnscheck/harness/internal/cmd/status"
	"netnscheck/harness/internal/kernel"
	"netnscheck/reports"
)

// Verdict is the exit status of a run as an error; lost is the error of its reports. The first that holds decides:
//
//   - Something was left behind: later runs may meet it.
//   - This machine cannot run anything: no case has completed.
//   - The run was cut short, or a report is lost. What failed before that stands first in the reports, but may have
//     failed for the same reason, and what was not run may have failed, too: nobody should take it for the verdict.
//   - Something failed.
//   - This machine cannot play what is demanded.
//   - Nothing passed, because everything was skipped: that is no success.
func Verdict(r *reports.Run, e Ending, lost error) error {
	c := r.Count()
	switch {
	case len(r.Leftovers) > 0:
		return &status.Error{Status: status.Leftover, Cause: lost}
	case e.Unable != nil:
		return status.With(status.Cannot, errors.Join(kernel.Explain(e.Unable), lost))
	case e.Cut, lost != nil:
		return &status.Error{Status: status.Cut, Cause: lost}
	case c.Bad() > 0 || len(r.Problems) > r.Unmet:
		return &status.Error{Status: status.Failed}
	case r.Unmet > 0:
		return &status.Error{Status: status.Cannot}
	case c.Pass+c.XFail == 0:
		return status.Cannotf("nothing could be run here: all %d cases were skipped", c.Skip)
	}
	return nil
}
