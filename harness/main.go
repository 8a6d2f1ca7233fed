// Command harness runs the catalogue of scenarios on this machine's kernel, shows it, and checks scenarios that people
// write. The command line is internal/cmd; nothing else is here, but the tests that drive the built program.
package main

import (
	"os"

	"netnscheck/harness/internal/cmd"
	"netnscheck/harness/internal/inside"
)

func main() {
	inside.Enter(cmd.Roles()...)
	os.Exit(cmd.Main(os.Args[1:]))
}
