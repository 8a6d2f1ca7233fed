package labtest

import (
	"flag"
	"runtime"
	"strconv"
)

// MostlyWaiting lets four parallel tests run for each processor unless -parallel says otherwise. Call it in TestMain
// of a package whose tests wait more than they work.
func MostlyWaiting() {
	flag.Parse()
	explicit := false
	flag.Visit(func(f *flag.Flag) { explicit = explicit || f.Name == "test.parallel" })
	if !explicit {
		flag.Set("test.parallel", strconv.Itoa(4*runtime.GOMAXPROCS(0)))
	}
}
