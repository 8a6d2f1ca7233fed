package lab

import (
	"math"
	"sync/atomic"
	"time"
)

// pace is the pace of this machine, as the bits of a float64; 0 stands for 1.
var pace atomic.Uint64

// SetPace tells how many times as long as usual this machine takes for the work of a lab, at least 1: all waiting in
// the labs of this process may last as many times as long. It is measured once for a run, before the first lab.
func SetPace(p float64) { pace.Store(math.Float64bits(max(p, 1))) }

// paced is a time for waiting on this machine.
func paced(usual time.Duration) time.Duration {
	p := math.Float64frombits(pace.Load())
	if p <= 1 {
		return usual
	}
	return time.Duration(float64(usual) * p)
}
