package diagnose

import (
	"crypto/rand"
	"fmt"
	"net/netip"
	"text/tabwriter"

	"netnscheck/harness/internal/cmd/input"
	"netnscheck/harness/internal/cmd/status"
	"netnscheck/harness/internal/cmd/version"
	"netnscheck/harness/state"
	"netnscheck/harness/term"
	"netnscheck/reports"
)

// saveState writes the state and prints the command that diagnoses it elsewhere. A redacted state has other addresses,
// so the command has them, too, and the key is printed: only the user who saves the state needs it, so no file has it.
func (o *options) saveState(s *state.State) error {
	from, source, target := o.from, o.sender, o.target
	var renamed [][2]string
	if o.redact {
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
		return status.Cannotf("write the state %s: it is larger than the limit of --state, %s", o.save,
			input.Size(input.StateLimit))
	}
	if err := reports.WritePrivateFile(o.save, text); err != nil {
		return status.With(status.Usage, err)
	}
	command := fmt.Sprintf("harness diagnose --state %s", o.save)
	if target.IsValid() {
		command += fmt.Sprintf(" --from %s --to %s", term.OneLine(from), target)
	}
	if source.IsValid() {
		command += fmt.Sprint(" --source ", source)
	}
	if o.port != 0 {
		command += fmt.Sprintf(" --tcp %d", o.port)
	}
	if o.size != 0 {
		command += fmt.Sprintf(" --size %d", o.size)
	}
	fmt.Fprintf(o.screen.Err, "saved the state; to diagnose it elsewhere: %s\n", command)
	if o.redact {
		return o.printKey(renamed)
	}
	return nil
}

// printKey prints what each address and word became in a redacted state.
func (o *options) printKey(renamed [][2]string) error {
	fmt.Fprintf(o.screen.Err, "the key, which is not in the file: keep it to yourself\n")
	t := tabwriter.NewWriter(o.screen.Err, 0, 0, 2, ' ', 0)
	for _, pair := range renamed {
		fmt.Fprintf(t, "  %s\tis %s\n", term.OneLine(pair[0]), pair[1])
	}
	return t.Flush()
}
