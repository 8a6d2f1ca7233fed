package main_test

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"netnscheck/reports"
)

// firstSpec runs one short case and returns the time from the start of the binary to the beginning of the case.
func firstSpec(t testing.TB, dir string) time.Duration {
	t.Helper()
	cmd := command(t, dir, "run", "good.md", "--driver", "netlink", "--focus", "Make another")
	began := time.Now()
	finish(t, cmd).want(t, 0)
	r, err := reports.ReadJSON(filepath.Join(dir, "results", "results.json"))
	if err != nil {
		t.Fatal(err)
	}
	return r.Suites[0].Started.Sub(began)
}

// BenchmarkFirstSpec measures the start-up of the static binary, which is to be under 100 ms.
func BenchmarkFirstSpec(b *testing.B) {
	needSandbox(b)
	dir := write(b, map[string]string{"good.md": good})
	firstSpec(b, dir) // builds the binary
	var sum time.Duration
	n := 0
	for b.Loop() {
		sum += firstSpec(b, dir)
		n++
	}
	b.ReportMetric(float64(sum.Microseconds())/1000/float64(n), "ms-to-first-spec")
}

// BenchmarkWholeRun runs the tutorial with both drivers and all its mistakes and reports the time without the pings for
// which the lesson itself waits, which is to be under 2 s.
func BenchmarkWholeRun(b *testing.B) {
	needSandbox(b)
	dir := b.TempDir()
	var besides, pings time.Duration
	for range b.N {
		began := time.Now()
		finish(b, command(b, dir, "run", "veth-pair")).want(b, 0)
		took := time.Since(began)
		r, err := reports.ReadJSON(filepath.Join(dir, "results", "results.json"))
		if err != nil {
			b.Fatal(err)
		}
		for _, s := range r.Suites {
			for _, c := range s.Cases {
				for _, x := range c.Transcript {
					if strings.Contains(x.Command, "ping ") {
						took -= x.Duration
						pings += x.Duration
					}
				}
			}
		}
		besides += took
	}
	b.ReportMetric(besides.Seconds()/float64(b.N), "s-besides-pings")
	b.ReportMetric(pings.Seconds()/float64(b.N), "s-of-pings")
}
