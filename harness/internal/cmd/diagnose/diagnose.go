// Package diagnose is the subcommand that finds out why a namespace does not reach an address. Only the root imports
// it.
package diagnose

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/spf13/cobra"

	"netnscheck/harness/diagnose"
	"netnscheck/harness/internal/cmd/input"
	"netnscheck/harness/internal/cmd/screen"
	"netnscheck/harness/internal/cmd/status"
	"netnscheck/harness/internal/observe"
	"netnscheck/harness/lab"
	"netnscheck/harness/state"
	"netnscheck/harness/term"
)

type options struct {
	screen    *screen.Screen
	from, to  string
	source    string
	pid       int
	port      int
	size      int
	all       bool
	stateFile string
	save      string
	redact    bool
	json      bool
	probe     bool

	target netip.Addr // of --to
	sender netip.Addr // of --source
}

// Command is `harness diagnose`.
func Command(s *screen.Screen) *cobra.Command {
	o := options{screen: s}
	c := &cobra.Command{
		Use:   "diagnose [--from NAMESPACE --to ADDRESS]",
		Short: "Find out why a namespace does not reach an address",
		Long: `Follows a packet from a namespace to an address, and the reply back, through the
state of the namespaces: links, addresses, routes, rules, neighbours, bridges,
tunnels and packet filters. It names the first thing that stops the packet,
where that is, the evidence, and the commands that fix it. Without a target it
lists whatever looks wrong. The namespace in which the harness runs is called
host.

It reads the namespaces of this machine, as root, and changes nothing. It sends
no packet unless --probe asks for one. 'harness explain CAUSE' says more about a
cause.

Exit status:
  0  nothing is wrong
  1  a cause was found
  2  wrong usage
  3  undecided: something could not be read or is not understood`,
		Example: `  harness diagnose --from prodns --to 192.168.2.103
  harness diagnose --from-pid 4711 --to 10.0.0.1 --tcp 80
  harness diagnose --save state.json --redact
  harness diagnose --state state.json --from prodns --to 192.168.2.103`,
		Args: status.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if err := o.check(c); err != nil {
				return err
			}
			return run(c.Context(), o)
		},
	}
	flags := c.Flags()
	flags.StringVar(&o.from, "from", "", "the `NAMESPACE` that sends")
	flags.IntVar(&o.pid, "from-pid", 0, "the namespace of process `PID` sends")
	flags.StringVar(&o.to, "to", "", "the `ADDRESS` to reach; link-local ones with %INTERFACE")
	flags.StringVar(&o.source, "source", "",
		"the source `ADDRESS`, one of that namespace's\n(default: the one that the kernel chooses)")
	flags.IntVar(&o.port, "tcp", 0, "diagnose a connection to this TCP `PORT`, not an echo")
	flags.IntVar(&o.size, "size", 0, "diagnose an unfragmented echo with `BYTES` of data")
	flags.BoolVar(&o.all, "all", false, "read unnamed namespaces of running processes, too")
	flags.StringVar(&o.stateFile, "state", "",
		"diagnose the state in this `FILE` or pipe, written by\n--save, instead of this machine")
	flags.StringVar(&o.save, "save", "", "write the state to this `FILE`, as JSON")
	flags.BoolVar(&o.redact, "redact", false,
		"replace addresses and words of packet filters in the\nsaved state, consistently, and print the key; names\n"+
			"of namespaces and interfaces stay")
	flags.BoolVar(&o.probe, "probe", false, "send one packet, or connect once, and compare")
	flags.BoolVar(&o.json, "json", false, "print the report as JSON")
	c.RegisterFlagCompletionFunc("from", completeNamespaces)
	return c
}

// check checks the flags and parses the addresses.
func (o *options) check(c *cobra.Command) error {
	given := func(flag string) bool { return c.Flags().Changed(flag) }
	for _, clash := range [][2]string{{"from", "from-pid"}, {"tcp", "size"}, {"state", "all"}, {"state", "from-pid"},
		{"state", "probe"}} {
		if given(clash[0]) && given(clash[1]) {
			return status.Usagef("--%s and --%s exclude each other", clash[0], clash[1])
		}
	}
	for _, need := range []struct{ flag, needs string }{{"source", "to"}, {"tcp", "to"}, {"size", "to"}, {"from", "to"},
		{"from-pid", "to"}, {"redact", "save"}, {"probe", "to"}} {
		if given(need.flag) && !given(need.needs) {
			return status.Usagef("--%s needs --%s", need.flag, need.needs)
		}
	}
	switch {
	case given("to") && !given("from") && !given("from-pid"):
		return status.Usagef(
			"--to needs --from NAMESPACE or --from-pid PID; the namespace in which the harness runs is called host")
	case given("from") && o.from == "":
		return status.Usagef("--from: the name of a namespace is missing")
	case given("from-pid") && !isProcess(o.pid):
		return status.Usagef("--from-pid %d: there is no such process", o.pid)
	case given("tcp") && (o.port < 1 || o.port > 65535):
		return status.Usagef("--tcp %d: a port is a number from 1 to 65535", o.port)
	case given("size") && (o.size < 1 || o.size > 65507):
		return status.Usagef("--size %d: an echo has 1 to 65507 bytes of data", o.size)
	case given("save") && o.save == "":
		return status.Usagef("--save: the name of a file is missing")
	case o.save == "-":
		return status.Usagef("--save -: the diagnosis goes to standard output; name a file (./- if it is called so)")
	}
	if given("to") {
		var err error
		if o.target, err = addressOf("--to", o.to); err != nil {
			return err
		}
		if o.target.IsMulticast() {
			return status.Usagef("--to %s: it is a multicast address; name a member of the group", o.to)
		}
	}
	if given("source") {
		var err error
		if o.sender, err = addressOf("--source", o.source); err != nil {
			return err
		}
		if o.sender.Unmap().Is4() != o.target.Unmap().Is4() {
			return status.Usagef("--source %s: it is not of the address family of --to %s", o.source, o.to)
		}
	}
	return nil
}

func isProcess(pid int) bool {
	_, err := os.Stat(filepath.Join("/proc", strconv.Itoa(pid)))
	return pid > 0 && err == nil
}

// addressOf parses the address of a flag.
func addressOf(flag, text string) (netip.Addr, error) {
	a, err := netip.ParseAddr(text)
	if err != nil {
		if p, isPrefix := netip.ParsePrefix(text); isPrefix == nil {
			return a, status.Usagef("%s %s: want an address without a prefix length: %s", flag, text, p.Addr())
		}
		return a, status.Usagef("%s %q: want an address, such as 192.168.2.103 or fd00::103; names are not "+
			"resolved", flag, text)
	}
	if a.IsUnspecified() {
		return a, status.Usagef("%s %s: it is the unspecified address", flag, text)
	}
	return a, nil
}

func run(ctx context.Context, o options) error {
	s, err := o.read(ctx)
	if err != nil {
		return err
	}
	if o.pid != 0 {
		o.from = namespaceOfProcess(s, o.pid)
	}
	if o.save != "" {
		if err := o.saveState(s); err != nil {
			return err
		}
	}
	var kernel diagnose.Witness
	if o.stateFile == "" {
		kernel = lab.MachineWitness(ctx, s)
	}
	result := judged(s, o, kernel)
	if o.probe {
		if result.probed, err = probeOnce(ctx, o); err != nil {
			return status.Cannotf("%w", err)
		}
	}
	switch {
	case o.json:
		err = o.screen.Document(1, result.json())
	default:
		err = result.print(o.screen.Sheet())
	}
	if err == nil && result.status() != status.Passed {
		err = &status.Error{Status: result.status()}
	}
	return err
}

func (o *options) read(ctx context.Context) (*state.State, error) {
	if o.stateFile != "" {
		return input.State(ctx, o.stateFile)
	}
	what := observe.MachineOptions{All: o.all, Filters: true}
	if o.pid != 0 {
		what.PIDs = []int{o.pid}
	}
	return input.Machine(ctx, what)
}

// namespaceOfProcess is the name that a state gives the namespace of a process. If the process has exited meanwhile, it
// is the name that an unnamed namespace would have had.
func namespaceOfProcess(s *state.State, pid int) string {
	for i := range s.Namespaces {
		if n := &s.Namespaces[i]; slices.Contains(n.PIDs, pid) {
			return n.Name
		}
	}
	return fmt.Sprint("pid:", pid)
}

// completeNamespaces completes the namespaces of this machine, or of the file of --state.
func completeNamespaces(c *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
	file, _ := c.Flags().GetString("state")
	o := options{stateFile: file}
	s, err := o.read(c.Context())
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var names []string
	for i := range s.Namespaces {
		names = append(names, term.OneLine(s.Namespaces[i].Name))
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}
