// Package doctor is the subcommand that says what this machine can and cannot run.
package doctor

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"netnscheck/harness/internal/cmd/machine"
	"netnscheck/harness/internal/cmd/screen"
	"netnscheck/harness/internal/cmd/status"
	"netnscheck/harness/internal/kernel"
	"netnscheck/harness/internal/program"
	"netnscheck/harness/internal/sandbox"
	"netnscheck/harness/lab"
)

// programs are those that scenarios use, and what needs each.
var programs = []struct {
	name, use string
	version   func() string
}{
	{"ip", "the driver iproute2", kernel.IPRoute2},
	{"bridge", "scenarios about bridges", nil},
	{"tc", "scenarios about queueing disciplines", nil},
	{"ping", "the driver iproute2", kernel.Ping},
	{"nft", "scenarios about firewalls", nil},
	{"sysctl", "the driver iproute2", nil},
	{"busybox", "the driver busybox, and scenarios with small servers", kernel.Busybox},
	{"tcpdump", "scenarios that look at packets", nil},
	{"nsenter", "entering a lab that --keep left", nil},
}

type options struct{ screen *screen.Screen }

// Command is `harness doctor`.
func Command(s *screen.Screen) *cobra.Command {
	o := options{screen: s}
	return &cobra.Command{
		Use:   "doctor",
		Short: "Say what this machine can and cannot run, and what to do about it",
		Long: `Say what this machine can and cannot run, and what to do about it.

Every feature that a scenario can require is tried, in namespaces that are thrown away. The kernel may load modules for
that, and some put devices of their own into the machine's own namespace (tunl0, sit0, gre0, ifb0), which stay. A run
tries only what the selected scenarios require.`,
		Args: status.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return run(c.Context(), o) },
	}
}

// run prints what there is; a machine on which a run would end with it is worth a status.
func run(ctx context.Context, o options) error {
	t := tabwriter.NewWriter(o.screen.Out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(t, "kernel\t%s %s\n", kernel.Release(), kernel.Arch())
	fmt.Fprintf(t, "privilege\t%s\n", kernel.Privilege())
	missing, err := sandbox.Possible()
	forbidden := machine.NoSandbox(err)
	root := os.Geteuid() == 0
	if forbidden == nil {
		fmt.Fprintln(t, "sandbox\tpossible")
	} else {
		fmt.Fprintln(t, "sandbox\timpossible")
	}
	printWalls(t, missing, forbidden == nil)
	printPrograms(t)
	err = nil
	if forbidden == nil || root {
		err = printFeatures(ctx, t, forbidden == nil)
	}
	if flushed := t.Flush(); flushed != nil {
		return flushed
	}
	switch {
	case forbidden != nil:
		return fmt.Errorf("make a lab: %w", forbidden)
	case err != nil:
		return status.Cannotf("try the kernel's features: %w", err)
	}
	return nil
}

// printWalls tells of each wall of the sandbox whether it can be had here.
func printWalls(out io.Writer, missing []sandbox.Lack, possible bool) {
	if !possible {
		return
	}
	fmt.Fprintln(out, "\nWALL\t")
	for _, w := range sandbox.Walls {
		var why []string
		for _, l := range missing {
			if l.Wall == w.Wall {
				why = append(why, l.Why)
			}
		}
		if len(why) == 0 {
			fmt.Fprintf(out, "%s\tup: %s\n", w.Wall, w.Is)
		} else {
			fmt.Fprintf(out, "%s\tmissing: %s (%s)\n", w.Wall, w.Is, strings.Join(why, "; "))
		}
	}
}

func printPrograms(out io.Writer) {
	fmt.Fprintln(out, "\nPROGRAM\t")
	var absent []string
	for _, p := range programs {
		path, err := kernel.LookPath(p.name)
		pkg := program.Package(p.name)
		switch {
		case err != nil:
			fmt.Fprintf(out, "%s\tabsent (package %s): %s cannot run\n", p.name, pkg, p.use)
			absent = append(absent, pkg)
		case p.version == nil:
			fmt.Fprintf(out, "%s\tpresent: %s\n", p.name, path)
		case p.version() == "":
			fmt.Fprintf(out, "%s\tanother program of this name (%s): %s cannot run; %s\n",
				p.name, path, p.use, machine.InstallHint(pkg))
		default:
			fmt.Fprintf(out, "%s\tpresent: %s, version %s%s\n", p.name, path, p.version(), triedWith(p.name))
		}
	}
	if len(absent) > 0 {
		fmt.Fprintln(out, "\nTo have what is absent, "+machine.InstallHint(absent...))
	}
}

// triedWith names the version with which a driver was tried, where its forms of command differ from version to version.
func triedWith(program string) string {
	for _, d := range lab.Drivers() {
		if s, ok := d.(lab.Substituting); ok && d.Name() == program {
			return "; what it cannot say was found with version " + s.TriedWith()
		}
	}
	return ""
}

func printFeatures(ctx context.Context, out io.Writer, sandboxed bool) error {
	findings, err := look(ctx, sandboxed)
	if err != nil {
		return err
	}
	fmt.Fprintln(out, "\nFEATURE\t")
	lacking := false
	for _, f := range findings {
		text := f.Presence
		if f.Reason != "" {
			text += ": " + f.Reason
		}
		fmt.Fprintf(out, "%s\t%s\n", f.Name, text)
		lacking = lacking || f.Presence == kernel.Absent.String()
	}
	if lacking {
		fmt.Fprintln(out, "\nWhat is absent skips the scenarios that require it, with this reason. Some kernels have it as a module:\n"+
			"as root: modprobe NAME (8021q for vlan, sch_netem for netem, br_netfilter). Others lack it: use the virtual machine, vagrant up.")
	}
	return nil
}
