package kernel

import (
	"os/exec"
	"testing"
	"time"
)

// TestPace: no machine is faster than 1, and none slower than what is believed.
func TestPace(t *testing.T) {
	for took, want := range map[time.Duration]float64{
		0: 1, usualWork: 1, 19 * usualWork / 10: 1, 2 * usualWork: 2, 25 * usualWork / 2: 12.5, time.Hour: MaxPace,
	} {
		if got := paceOf(took); got != want {
			t.Errorf("a machine that takes %v has the pace %v, want %v", took, got, want)
		}
	}
}

// TestMeasurePace measures this machine, and again while programs keep its processors busy: that is no slower machine.
func TestMeasurePace(t *testing.T) {
	idle, err := MeasurePace()
	if err != nil {
		t.Fatal(err)
	}
	for range 4 {
		busy := exec.Command("/bin/sh", "-c", "while :; do :; done")
		if err := busy.Start(); err != nil {
			t.Fatal(err)
		}
		defer func() {
			busy.Process.Kill()
			busy.Wait()
		}()
	}
	loaded, err := MeasurePace()
	if err != nil {
		t.Fatal(err)
	}
	if idle < 1 || idle > MaxPace || loaded > 2*idle {
		t.Errorf("the pace is %v, and %v while the machine is busy", idle, loaded)
	}
}
