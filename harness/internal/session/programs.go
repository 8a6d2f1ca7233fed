package session

import (
	"sync"

	"netnscheck/harness/internal/kernel"
	"netnscheck/harness/internal/program"
	"netnscheck/harness/scenario"
	"netnscheck/harness/sitting/page"
)

// installed are the versions of what is installed.
var installed = sync.OnceValue(func() scenario.Versions {
	return scenario.Versions{"kernel": kernel.Release(), "iproute2": kernel.IPRoute2(), "busybox": kernel.Busybox()}
})

// typeable are the blocks that are for the programs which the learner has: netlink messages he does not type.
func typeable() page.Shown {
	driver := "iproute2"
	if _, err := program.LookPath("ip"); err != nil {
		driver = "busybox"
	}
	return func(b scenario.Block) bool {
		if len(b.Conditions) == 0 {
			return b.For(driver, nil) // to find the versions out takes a while
		}
		return b.For(driver, installed())
	}
}
