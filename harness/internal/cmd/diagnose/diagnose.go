// Package diagnose is the subcommand that finds out why a namespace does not reach an address. Only the root imports
// it.
package diagnose

import (
	"context"
	"fmt"
	"net/netip"
	"os"

	"github.com/spf13/cobra"

	"netnscheck/harness/diagnose"
	"netnscheck/harness/internal/cmd/input"
	"netnscheck/harness/internal/cmd/place"
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
	udp       int
	size      int
	all       bool
	matrix    bool
	stateFile string
	save      string
	redact    bool
	json      bool
	probe     bool
	trace     bool

	target netip.Addr  // of --to
	sender netip.Addr  // of --source
	place  place.Place // of --from or --from-pid, if that is not the name of a namespace
}

// Command is `harness diagnose`.
func Command(s *screen.Screen) *cobra.Command {
	o := options{screen: s}
	c := &cobra.Command{
		Use:   "diagnose [--from NAMESPACE --to ADDRESS | --matrix]",
		Short: "Find out why a namespace does not reach an address",
		Long: `Follows a packet from a namespace to an address, and the reply back, through the
state of the namespaces: links, addresses, routes, rules, neighbours, bridges,
tunnels and packet filters. It names the first thing that stops the packet,
where that is, the evidence, and the commands that fix it. With --matrix it asks
so of every namespace and every other one. Without a target it lists whatever
looks wrong. The namespace in which the harness runs is called
host.

It reads the namespaces of this machine, as root, and changes nothing. It sends
no packet unless --probe asks for one; with --trace it hears meanwhile why the
kernel drops packets (Linux 5.17 and later). 'harness explain CAUSE' says more
about a cause.

Exit status:
  0  nothing is wrong, or everybody reaches everybody (--matrix)
  1  a cause was found
  2  wrong usage
  3  undecided: something could not be read or is not understood, or the probe
     contradicts the diagnosis (--probe), or the kernel does (--trace)`,
		Example: `  harness diagnose --from prodns --to 192.168.2.103
  harness diagnose --from-pid 4711 --to 10.0.0.1 --tcp 80
  harness diagnose --matrix
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
	flags.StringVar(&o.from, "from", "", "the `NAMESPACE` that sends: its name, or\n"+place.Forms)
	flags.IntVar(&o.pid, "from-pid", 0, "the namespace of process `PID` sends")
	flags.StringVar(&o.to, "to", "", "the `ADDRESS` to reach; link-local ones with %INTERFACE")
	flags.StringVar(&o.source, "source", "",
		"the source `ADDRESS`, one of that namespace's\n(default: the one that the kernel chooses)")
	flags.IntVar(&o.port, "tcp", 0, "diagnose a connection to this TCP `PORT`, not an echo")
	flags.IntVar(&o.udp, "udp", 0, "diagnose a datagram to this UDP `PORT` and its answer")
	flags.IntVar(&o.size, "size", 0, "diagnose an unfragmented echo with `BYTES` of data")
	flags.BoolVar(&o.matrix, "matrix", false,
		"ask of each namespace whether it reaches an address\nof each other one, and print a table")
	flags.BoolVar(&o.all, "all", false, "read unnamed namespaces of running processes, too")
	flags.StringVar(&o.stateFile, "state", "",
		"diagnose the state in this `FILE` or pipe, written by\n--save, instead of this machine")
	flags.StringVar(&o.save, "save", "", "write the state to this `FILE`, as JSON")
	flags.BoolVar(&o.redact, "redact", false,
		"replace addresses and words of packet filters in the\nsaved state, consistently, and print the key; names\n"+
			"of namespaces and interfaces stay")
	flags.BoolVar(&o.probe, "probe", false, "send one packet, or connect once, and compare")
	flags.BoolVar(&o.trace, "trace", false,
		"listen, as root, to what the kernel says of the packets\nthat it drops while the one of --probe is on its way")
	flags.BoolVar(&o.json, "json", false, "print the report as JSON")
	c.RegisterFlagCompletionFunc("from", completeNamespaces)
	return c
}

// check checks the flags and parses the addresses.
func (o *options) check(c *cobra.Command) error {
	given := func(flag string) bool { return c.Flags().Changed(flag) }
	for _, clash := range [][2]string{{"from", "from-pid"}, {"tcp", "size"}, {"udp", "tcp"}, {"udp", "size"}, {"udp", "probe"},
		{"state", "all"}, {"state", "from-pid"},
		{"state", "probe"}, {"matrix", "from"}, {"matrix", "from-pid"}, {"matrix", "to"}} {
		if given(clash[0]) && given(clash[1]) {
			return status.Usagef("--%s and --%s exclude each other", clash[0], clash[1])
		}
	}
	for _, need := range []struct{ flag, needs string }{{"source", "to"}, {"tcp", "to"}, {"udp", "to"}, {"size", "to"}, {"from", "to"},
		{"from-pid", "to"}, {"redact", "save"}, {"probe", "to"}, {"trace", "probe"}} {
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
	case given("tcp") && (o.port < 1 || o.port > 65535):
		return status.Usagef("--tcp %d: a port is a number from 1 to 65535", o.port)
	case given("udp") && (o.udp < 1 || o.udp > 65535):
		return status.Usagef("--udp %d: a port is a number from 1 to 65535", o.udp)
	case given("size") && (o.size < 1 || o.size > 65507):
		return status.Usagef("--size %d: an echo has 1 to 65507 bytes of data", o.size)
	case given("save") && o.save == "":
		return status.Usagef("--save: the name of a file is missing")
	case o.save == "-":
		return status.Usagef("--save -: the diagnosis goes to standard output; name a file (./- if it is called so)")
	}
	var err error
	switch {
	case given("from-pid"):
		o.place, err = place.Process(o.pid)
	case given("from") && o.stateFile == "":
		o.place, err = place.Find(o.from)
	}
	if err != nil {
		return err
	}
	if given("to") {
		if o.target, err = addressOf("--to", o.to); err != nil {
			return err
		}
		if o.target.IsMulticast() {
			return status.Usagef("--to %s: it is a multicast address; name a member of the group", o.to)
		}
	}
	if given("source") {
		if o.sender, err = addressOf("--source", o.source); err != nil {
			return err
		}
		if o.sender.Unmap().Is4() != o.target.Unmap().Is4() {
			return status.Usagef("--source %s: it is not of the address family of --to %s", o.source, o.to)
		}
	}
	return nil
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
	if o.place.Inode != 0 {
		o.from = nameOf(s, o.place)
	}
	if o.save != "" {
		if err := o.saveState(s); err != nil {
			return err
		}
	}
	if o.matrix {
		return o.matrixOf(s)
	}
	var kernel diagnose.Witness
	if o.stateFile == "" {
		kernel = lab.MachineWitness(ctx, s)
	}
	result := judged(s, o, kernel)
	switch {
	case o.trace:
		result.probed, result.traced, err = probeTraced(ctx, o, s, result.report)
	case o.probe:
		result.probed, err = probeOnce(ctx, o)
	}
	if err != nil {
		return status.Cannotf("%w", err)
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

// read reads the state. To root, what a link leads into is in sight, even if it has no name.
func (o *options) read(ctx context.Context) (*state.State, error) {
	if o.stateFile != "" {
		return input.State(ctx, o.stateFile)
	}
	what := observe.MachineOptions{All: o.all, Filters: true}
	switch {
	case o.place.PID != 0:
		what.PIDs = []int{o.place.PID}
	case o.place.File != "":
		what.Files = []string{o.place.File}
	}
	s, err := input.Machine(ctx, what)
	if err == nil && !o.all && (o.target.IsValid() || o.matrix) && os.Geteuid() == 0 && leadsOutOfSight(s) {
		what.All = true
		return input.Machine(ctx, what)
	}
	return s, err
}

// leadsOutOfSight reports whether a link leads into a namespace that was not read.
func leadsOutOfSight(s *state.State) bool {
	for i := range s.Namespaces {
		for _, l := range s.Namespaces[i].Links {
			if l.Peer != nil && l.Peer.Hidden {
				return true
			}
		}
	}
	return false
}

// nameOf is the name that a state gives a namespace. If it has gone meanwhile, it is the name that one without a name
// would have had.
func nameOf(s *state.State, p place.Place) string {
	for i := range s.Namespaces {
		if s.Namespaces[i].Inode == p.Inode {
			return s.Namespaces[i].Name
		}
	}
	if p.File != "" {
		return p.File
	}
	return fmt.Sprint("pid:", p.PID)
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
