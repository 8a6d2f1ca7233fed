package run

import "testing"

func TestProcsOn(t *testing.T) {
	for _, c := range []struct {
		cores  int
		memory int64
		want   int
	}{
		{2, 24 << 30, 8},
		{1, 24 << 30, 4},
		{64, 512 << 30, 16},
		{8, 300 << 20, 4},
		{8, 0, 1},
	} {
		if got := procsOn(c.cores, c.memory); got != c.want {
			t.Errorf("%d cores and %d MB: %d workers, want %d", c.cores, c.memory>>20, got, c.want)
		}
	}
	if n := procs(); n < 1 || n > mostWorkers {
		t.Errorf("%d workers on this machine", n)
	}
}
