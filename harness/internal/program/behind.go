package program

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"netnscheck/harness/scenario"
	"netnscheck/harness/scenario/started"
)

// Behind refuses a command that starts, through another program, one that the driver would replace if the command named
// it: the real program would do the work under the driver's name. So it refuses what may do that unseen, such as the
// file of a script. The error is a *scenario.CannotSay. argv is the command without `ip netns exec`.
func Behind(driver string, argv []string, replaced ...string) error {
	if len(argv) == 0 || slices.Contains(replaced, filepath.Base(argv[0])) {
		return nil
	}
	name, unread := started.Behind(argv, replaced...)
	by, name := filepath.Base(argv[0]), strings.TrimPrefix(name, "busybox ")
	switch {
	case name != "":
		return &scenario.CannotSay{Driver: driver, Word: by + " … " + name,
			Why: fmt.Sprintf("%s would start the real %s", by, name)}
	case unread != "":
		return &scenario.CannotSay{Driver: driver, Word: unread,
			Why: fmt.Sprintf("which programs it starts is not known before it runs, perhaps %s", replaced[0])}
	}
	return nil
}
