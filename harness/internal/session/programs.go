package session

import (
	"context"

	"netnscheck/harness/internal/kernel"
	"netnscheck/harness/internal/program"
	"netnscheck/harness/scenario"
	"netnscheck/harness/sitting/page"
)

// typeable are the blocks that are for the programs which the learner has: netlink messages he does not type.
func typeable() page.Shown {
	driver := "iproute2"
	if _, err := program.LookPath("ip"); err != nil {
		driver = "busybox"
	}
	return func(b scenario.Block) bool {
		if len(b.Conditions) == 0 {
			return b.For(driver, scenario.Machine{}) // to find out what is here takes a while
		}
		var features []string
		for _, c := range b.Conditions {
			if f := c.Feature(); f != "" {
				features = append(features, f)
			}
		}
		here, err := kernel.Machine(context.Background(), features...)
		return err != nil || b.For(driver, here) // where that cannot be told, the page is shown as it is
	}
}
