package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"netnscheck/harness/internal/kernel"
	"netnscheck/harness/internal/program"
	"netnscheck/harness/internal/sandbox"
	"netnscheck/harness/lab"
)

// doctorWord as the only argument makes this program look at the features of the kernel from inside the sandbox.
const doctorWord = "doctor-inside"

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

func doctorCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "doctor",
		Short: "Say what this machine can and cannot run, and what to do about it",
		Long: `Say what this machine can and cannot run, and what to do about it.

Every feature that a scenario can require is tried, in namespaces that are thrown away. The kernel may load modules for
that, and some put devices of their own into the machine's own namespace (tunl0, sit0, gre0, ifb0), which stay. A run
tries only what the selected scenarios require.`,
		Args: wantArgs(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error { return examine(c) },
	}
}

// examine prints what there is; only a machine that can run nothing at all is worth a status.
func examine(c *cobra.Command) error {
	t := tabwriter.NewWriter(c.OutOrStdout(), 0, 0, 2, ' ', 0)
	fmt.Fprintf(t, "kernel\t%s %s\n", kernel.Release(), kernel.Arch())
	fmt.Fprintf(t, "privilege\t%s\n", kernel.Privilege())
	forbidden := sandbox.Possible()
	root := os.Geteuid() == 0
	switch {
	case forbidden == nil:
		fmt.Fprintln(t, "sandbox\tpossible")
	case root:
		fmt.Fprintf(t, "sandbox\timpossible: %v\n", forbidden)
		fmt.Fprintln(t, "\tlabs are on the machine itself, as with --sandbox=off")
	default:
		fmt.Fprintf(t, "sandbox\timpossible: %v\n", forbidden)
	}
	printPrograms(t)
	var err error
	if forbidden == nil || root {
		err = printFeatures(c.Context(), t, forbidden == nil)
	}
	if flushed := t.Flush(); flushed != nil {
		return flushed
	}
	switch {
	case err != nil:
		return cannot("try the kernel's features: %w", err)
	case forbidden != nil && !root:
		return cannot("labs are not possible here: %w", forbidden)
	}
	return nil
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
			fmt.Fprintf(out, "%s\tanother program of this name (%s): %s cannot run; %s\n", p.name, path, p.use, installHint(pkg))
		default:
			fmt.Fprintf(out, "%s\tpresent: %s, version %s%s\n", p.name, path, p.version(), triedWith(p.name))
		}
	}
	if len(absent) > 0 {
		fmt.Fprintln(out, "\nTo have what is absent, "+installHint(absent...))
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

// finding is what came of looking for a feature, as it travels out of the sandbox.
type finding struct {
	Name, Presence, Reason string
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

// look tries the features where labs would be.
func look(ctx context.Context, sandboxed bool) ([]finding, error) {
	if !sandboxed {
		return lookHere(ctx)
	}
	read, write, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer read.Close()
	p, err := sandbox.Start(ctx, sandbox.Command{
		Args: []string{os.Args[0], doctorWord}, Stderr: os.Stderr, ExtraFiles: []*os.File{write},
	})
	write.Close()
	if err != nil {
		return nil, err
	}
	var findings []finding
	err = json.NewDecoder(read).Decode(&findings)
	return findings, errors.Join(err, p.Wait())
}

func lookHere(ctx context.Context) ([]finding, error) {
	words := kernel.Words()
	found, err := kernel.Look(ctx, words...)
	if err != nil {
		return nil, err
	}
	findings := make([]finding, len(words))
	for i, f := range found {
		findings[i] = finding{words[i], f.Presence.String(), f.Reason}
	}
	return findings, nil
}

func isDoctorInside(args []string) bool { return len(args) == 2 && args[1] == doctorWord }

// doctorInside is all that the program does inside.
func doctorInside() int {
	findings, err := lookHere(context.Background())
	if err == nil {
		err = json.NewEncoder(os.NewFile(resultsFD, "results")).Encode(findings)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "harness: look at the kernel's features:", err)
		return statusFailed
	}
	return statusPassed
}
