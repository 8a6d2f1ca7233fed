package specrun

import (
	"os"
	"sync"
	"testing"
	"time"
)

// TestAbsentDrivers: the cases of drivers that this machine does not have are in the result, skipped, and no worker
// hears of them. A unit without any other case needs none, and does not prove that labs can be made.
func TestAbsentDrivers(t *testing.T) {
	absent := []Absence{{Driver: "busybox", Reason: "it is not installed", Missing: []string{"busybox"}}}
	alone := unitOf(t, "Alone", Job{Drivers: []string{"busybox"}, Absent: absent}, "one")
	beside := unitOf(t, "Beside", Job{Drivers: []string{"netlink", "busybox"}, Absent: absent}, "passes", "fails")
	for _, procs := range []int{1, 3} {
		plan := mustPlan(t, alone, beside, unit(t, "passes"))
		if n := plan[0].Cases() + plan[1].Cases(); n != 2 {
			t.Errorf("a worker would play %d cases, want 2", n)
		}
		var mu sync.Mutex
		var rehearsed []bool
		begin := func(job Job, in, out, stderr *os.File) (Process, error) {
			mu.Lock()
			defer mu.Unlock()
			rehearsed = append(rehearsed, job.Rehearse)
			for _, id := range job.Cases {
				if id == alone.Unit+".busybox.1" || id == beside.Unit+".busybox.1" {
					t.Errorf("a worker is told of %s", id)
				}
			}
			return start(job, in, out, stderr)
		}
		r := Run(t.Context(), plan, Options{Procs: procs, Grace: time.Minute, Start: begin})
		const skip = ": skip it is not installed"
		same(t, outcomes(r), []string{"busybox/one" + skip, "netlink/passes: pass", "netlink/fails: fail it failed",
			"busybox/passes" + skip, "busybox/fails" + skip, "netlink/passes: pass"})
		if len(rehearsed) != 2 || !rehearsed[0] || r.Unable != nil || r.Cut {
			t.Errorf("rehearsed %v, unable %v, cut short %v", rehearsed, r.Unable, r.Cut)
		}
		if c := r.Suites[0].Cases[0]; r.Suites[0].Absent == "" || len(c.Missing) != 1 || c.Missing[0] != "busybox" {
			t.Errorf("the suite is %+v", r.Suites[0])
		}
	}
	r := Run(t.Context(), mustPlan(t, alone), Options{Start: func(Job, *os.File, *os.File, *os.File) (Process, error) {
		t.Error("a worker is started for nothing")
		return nil, os.ErrInvalid
	}})
	same(t, outcomes(r), []string{"busybox/one: skip it is not installed"})
}
