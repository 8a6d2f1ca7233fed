package main

import (
	"crypto/rand"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"netnscheck/harness/internal/cmd/input"
	"netnscheck/harness/internal/cmd/version"
	"netnscheck/harness/internal/observe"
	"netnscheck/harness/state"
	"netnscheck/harness/term"
	"netnscheck/reports"
)

// diagnoseFlags are those of the subcommand diagnose.
type diagnoseFlags struct {
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

	target netip.Addr // what --to says
	sender netip.Addr // what --source says
}

func diagnoseCommand() *cobra.Command {
	var f diagnoseFlags
	c := &cobra.Command{
		Use:   "diagnose [--from NAMESPACE --to ADDRESS]",
		Short: "Say why one namespace does not reach an address; without a target, what looks wrong",
		Long: `Walks a packet from a namespace to an address, and the reply back, through the state of the namespaces: their links, addresses, routes,
rules, neighbours, bridges, tunnels and packet filters. It names the first thing that stops it, where, what proves it, and the commands
that mend it. Without a target it lists whatever looks wrong. The namespace that the harness is in is called host.

The namespaces of this machine are read (as root), not changed, and no packet is sent unless --probe asks for one. 'harness explain CAUSE' tells more of a cause.

Exit status: 0 nothing is wrong; 1 a cause was found; 2 wrong usage; 3 it could not be judged, because something was not read or is not known.`,
		Example: `  harness diagnose --from prodns --to 192.168.2.103
  harness diagnose --from-pid 4711 --to 10.0.0.1 --tcp 80
  harness diagnose --save state.json --redact
  harness diagnose --state state.json --from prodns --to 192.168.2.103`,
		Args: wantArgs(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error {
			if err := f.check(c); err != nil {
				return err
			}
			return diagnoseState(c, f)
		},
	}
	flags := c.Flags()
	flags.StringVar(&f.from, "from", "", "the namespace that sends")
	flags.IntVar(&f.pid, "from-pid", 0, "the namespace of this process sends")
	flags.StringVar(&f.to, "to", "", "the address that is not reached; link-local ones with %INTERFACE")
	flags.StringVar(&f.source, "source", "", "the source address, an address of that namespace, where it is not the one that the kernel would choose")
	flags.IntVar(&f.port, "tcp", 0, "ask for a connection to this TCP port instead of an echo")
	flags.IntVar(&f.size, "size", 0, "ask for an echo with so many bytes of data, not to be fragmented")
	flags.BoolVar(&f.all, "all", false, "read the namespaces of running processes too, not only those with a name")
	flags.StringVar(&f.stateFile, "state", "",
		"diagnose the state in this file or pipe, which --save wrote, instead of this machine")
	flags.StringVar(&f.save, "save", "", "write the state to this file, as JSON")
	flags.BoolVar(&f.redact, "redact", false,
		"map addresses, and words of packet filters, in the saved state to others, consistently, and print the key;\n"+
			"names of namespaces and interfaces stay")
	flags.BoolVar(&f.probe, "probe", false, "then send one packet, or connect once, to see whether the answer is right")
	flags.BoolVar(&f.json, "json", false, "print the report as JSON")
	c.RegisterFlagCompletionFunc("from", completeNamespaces)
	return c
}

// check reads what the flags say.
func (f *diagnoseFlags) check(c *cobra.Command) error {
	given := func(flag string) bool { return c.Flags().Changed(flag) }
	for _, clash := range [][2]string{{"from", "from-pid"}, {"tcp", "size"}, {"state", "all"}, {"state", "from-pid"}, {"state", "probe"}} {
		if given(clash[0]) && given(clash[1]) {
			return usage("--%s and --%s exclude each other", clash[0], clash[1])
		}
	}
	for _, need := range []struct{ flag, needs string }{{"source", "to"}, {"tcp", "to"}, {"size", "to"}, {"from", "to"}, {"from-pid", "to"}, {"redact", "save"}, {"probe", "to"}} {
		if given(need.flag) && !given(need.needs) {
			return usage("--%s needs --%s", need.flag, need.needs)
		}
	}
	switch {
	case given("to") && !given("from") && !given("from-pid"):
		return usage("--to needs --from NAMESPACE or --from-pid PID; the namespace that the harness is in is called host")
	case given("from") && f.from == "":
		return usage("--from: the name of a namespace is missing")
	case given("from-pid") && !isProcess(f.pid):
		return usage("--from-pid %d: there is no such process", f.pid)
	case given("tcp") && (f.port < 1 || f.port > 65535):
		return usage("--tcp %d: a port is a number from 1 to 65535", f.port)
	case given("size") && (f.size < 1 || f.size > 65507):
		return usage("--size %d: an echo has 1 to 65507 bytes of data", f.size)
	case given("save") && f.save == "":
		return usage("--save: the name of a file is missing")
	case f.save == "-":
		return usage("--save -: the diagnosis goes to standard output; name a file (./- if it is called so)")
	}
	if given("to") {
		var err error
		if f.target, err = addressOf("--to", f.to); err != nil {
			return err
		}
		if f.target.IsMulticast() {
			return usage("--to %s: it is the address of a group; name one of its members", f.to)
		}
	}
	if given("source") {
		var err error
		if f.sender, err = addressOf("--source", f.source); err != nil {
			return err
		}
		if f.sender.Unmap().Is4() != f.target.Unmap().Is4() {
			return usage("--source %s: it is of another family than --to %s", f.source, f.to)
		}
	}
	return nil
}

func isProcess(pid int) bool {
	_, err := os.Stat(filepath.Join("/proc", strconv.Itoa(pid)))
	return pid > 0 && err == nil
}

// addressOf reads the address of somebody, which a flag names.
func addressOf(flag, text string) (netip.Addr, error) {
	a, err := netip.ParseAddr(text)
	if err != nil {
		if p, isPrefix := netip.ParsePrefix(text); isPrefix == nil {
			return a, usage("%s %s: an address is wanted, without a prefix length: %s", flag, text, p.Addr())
		}
		return a, usage("%s %q: an address is wanted, such as 192.168.2.103 or fd00::103; names are not looked up", flag, text)
	}
	if a.IsUnspecified() {
		return a, usage("%s %s: it is nobody's address", flag, text)
	}
	return a, nil
}

func diagnoseState(c *cobra.Command, f diagnoseFlags) error {
	s, err := f.read(c)
	if err != nil {
		return err
	}
	if f.pid != 0 {
		f.from = namespaceOfProcess(s, f.pid)
	}
	if f.save != "" {
		if err := f.saveState(c, s); err != nil {
			return err
		}
	}
	result := judged(s, f)
	if f.probe {
		if result.probed, err = probeOnce(c.Context(), f); err != nil {
			return cannot("%w", err)
		}
	}
	switch {
	case f.json:
		err = term.WriteJSON(c.OutOrStdout(), result.json())
	default:
		err = result.print(console.Sheet())
	}
	if err == nil && result.status() != statusPassed {
		err = &exit{status: result.status()}
	}
	return err
}

func (f *diagnoseFlags) read(c *cobra.Command) (*state.State, error) {
	if f.stateFile != "" {
		return input.State(c.Context(), f.stateFile)
	}
	o := observe.MachineOptions{All: f.all, Filters: true}
	if f.pid != 0 {
		o.PIDs = []int{f.pid}
	}
	return input.Machine(c.Context(), o)
}

// namespaceOfProcess is the name under which a state has the namespace of a process that it was read for. One that is not there any
// more is called as it would have been.
func namespaceOfProcess(s *state.State, pid int) string {
	for i := range s.Namespaces {
		if n := &s.Namespaces[i]; slices.Contains(n.PIDs, pid) {
			return n.Name
		}
	}
	return fmt.Sprint("pid:", pid)
}

// saveState writes the state. What was asked has other addresses in a redacted one, so it is told how to ask there, and
// what has become of what: whoever saves it needs that to read the answer, and nobody else is to have it, so it is in
// no file.
func (f *diagnoseFlags) saveState(c *cobra.Command, s *state.State) error {
	from, source, target := f.from, f.sender, f.target
	var renamed [][2]string
	if f.redact {
		key := make([]byte, 32)
		rand.Read(key)
		redacted, r := state.Redact(s, key)
		s, from, source, target = redacted, r.Text(from), r.Addr(source), r.Addr(target)
		for _, a := range []netip.Addr{source, target} {
			if a.IsValid() {
				s.Asked = append(s.Asked, a.WithZone(""))
			}
		}
		renamed = r.Key()
	}
	text, err := state.Encode(s, "netnscheck "+version.Of())
	if err != nil {
		return err
	}
	if len(text) > input.StateLimit {
		return cannot("write the state %s: it is larger than %s, the most that --state reads", f.save, input.Size(input.StateLimit))
	}
	if err := reports.WritePrivateFile(f.save, text); err != nil {
		return &exit{statusUsage, err}
	}
	command := fmt.Sprintf("harness diagnose --state %s", f.save)
	if target.IsValid() {
		command += fmt.Sprintf(" --from %s --to %s", term.OneLine(from), target)
	}
	if source.IsValid() {
		command += fmt.Sprint(" --source ", source)
	}
	if f.port != 0 {
		command += fmt.Sprintf(" --tcp %d", f.port)
	}
	if f.size != 0 {
		command += fmt.Sprintf(" --size %d", f.size)
	}
	fmt.Fprintf(c.ErrOrStderr(), "saved the state; to diagnose it elsewhere: %s\n", command)
	if f.redact {
		return printKey(c, renamed)
	}
	return nil
}

// printKey tells what has become of what in a redacted state.
func printKey(c *cobra.Command, renamed [][2]string) error {
	fmt.Fprintf(c.ErrOrStderr(), "the key, which is not in the file: keep it to yourself\n")
	t := tabwriter.NewWriter(c.ErrOrStderr(), 0, 0, 2, ' ', 0)
	for _, pair := range renamed {
		fmt.Fprintf(t, "  %s\tis %s\n", term.OneLine(pair[0]), pair[1])
	}
	return t.Flush()
}

// completeNamespaces offers the namespaces of the machine, or those of the state that was named.
func completeNamespaces(c *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
	file, _ := c.Flags().GetString("state")
	f := diagnoseFlags{stateFile: file}
	s, err := f.read(c)
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var names []string
	for i := range s.Namespaces {
		names = append(names, term.OneLine(s.Namespaces[i].Name))
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}
