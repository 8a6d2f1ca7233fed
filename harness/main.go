// Command harness runs and shows the catalogue of scenarios on this machine's kernel, checks scenarios, and draws and
// diagnoses namespaces. The command line is internal/cmd; apart from main, this package holds only the tests that drive
// the built program.
package main

import (
	"os"

	"netnscheck/harness/internal/cmd"
	"netnscheck/harness/internal/inside"
	"netnscheck/harness/internal/vm/guest"
)

func main() {
	inside.Enter(cmd.Roles()...)
	guest.Enter()
	os.Exit(cmd.Main(os.Args))
}
