package reports

import (
	"bytes"
	"slices"
	"testing"
	"time"

	"netnscheck/harness/scenario"
)

// sampleGuests is the sample on three kernels: on the first as it is, on the second a case fails for another reason,
// the third panics in its second case, and the fourth is not found.
func sampleGuests() *Run {
	r := sample()
	r.LeftOut, r.Install, r.Problems = nil, "", nil
	one := r.Suites
	r.Suites = nil
	for _, name := range []string{"5.10", "6.12+iproute2-6.1", "7.3", "newest"} {
		for _, s := range one {
			s.Guest, s.Cases = name, slices.Clone(s.Cases)
			for i := range s.Cases {
				c := &s.Cases[i]
				switch {
				case name == "newest", name == "7.3" && (i > 1 || s.Driver == "netlink"):
					*c = Case{Name: c.Name, SectionResult: scenario.SectionResult{
						Scenario: c.Scenario, Driver: s.Driver, Kind: c.Kind, Step: c.Step, Mistake: c.Mistake, Title: c.Title,
						Outcome: scenario.NotRun, Reason: "the kernel panicked",
					}}
				case name == "7.3" && i == 1:
					c.Outcome, c.Reason = scenario.Error, "while it ran: the kernel panicked"
					c.Problems, c.Transcript, c.Checks, c.Duration = nil, nil, nil, 0
				case name != "5.10" && i == 1:
					c.Problems = []scenario.Problem{{Line: 21, Message: "the command was refused with another errno",
						Expected: "ENODEV", Found: "EEXIST"}}
				}
			}
			r.Suites = append(r.Suites, s)
		}
	}
	facts := func(release string) []Property {
		return []Property{{"kernel", release}, {"package", "linux-image-" + release}, {"clock", "virtual time"}}
	}
	r.Guests = []Guest{
		{Name: "5.10", Properties: facts("5.10.0-46-amd64"), Class: "failed", Took: 61 * time.Second},
		{Name: "6.12+iproute2-6.1", Properties: facts("6.12.118+deb13-amd64"), Class: "WARN", Took: 70 * time.Second,
			Words: "the kernel warned at net/core/dev.c:1234",
			Faults: []Fault{{Class: "WARN", Title: "WARNING: CPU: 0 PID: 77 at net/core/dev.c:1234", At: "dev_x+0x12/0x40",
				Process: "ip", File: "results/6.12+iproute2-6.1/console.log", Line: 301}},
			Evidence: []string{"results/6.12+iproute2-6.1/console.log"}},
		{Name: "7.3", Properties: facts("7.3.4-amd64"), Class: "panic", Took: 12 * time.Second,
			Words: "the kernel panicked: Fatal exception in interrupt \x1b[31m",
			Faults: []Fault{{Class: "oops", Title: "general protection fault: 0000 [#1] PREEMPT SMP", At: "veth_xmit+0x1f/0x300",
				Process: "ping", Trace: []string{"dev_hard_start_xmit", "__dev_queue_xmit", "arp_solicit", "neigh_probe",
					"__neigh_event_send", "neigh_resolve_output", "ip_finish_output2"},
				File: "results/7.3/console.log", Line: 412}},
			Evidence: []string{"results/7.3/console.log"},
			Again:    "qemu-system-x86_64 -kernel vmlinuz -initrd results/7.3/initrd"},
		{Name: "newest", Class: "could not start", Words: "find the kernel newest: no network to the archive"},
	}
	return r
}

func TestGuestsGolden(t *testing.T) {
	r := sampleGuests()
	var out bytes.Buffer
	o := &Console{Out: &out, Options: Options{Files: []string{"results/junit.xml"}}}
	o.Plan(r.Suites)
	for i := range r.Suites {
		for j := range r.Suites[i].Cases {
			o.End(&r.Suites[i], &r.Suites[i].Cases[j])
		}
	}
	if out.Len() > 0 {
		t.Errorf("cases of guests are told one by one:\n%s", out.String())
	}
	if err := o.Finish(r); err != nil {
		t.Fatal(err)
	}
	golden(t, "guests-console.golden.txt", out.String())

	var xml bytes.Buffer
	if err := newJUnit(&xml, Options{}).Finish(r); err != nil {
		t.Fatal(err)
	}
	golden(t, "guests-junit.golden.xml", xml.String())

	for i := range r.Suites { // as texts from a worker are; JSON has no invalid UTF-8
		for j := range r.Suites[i].Cases {
			r.Suites[i].Cases[j].Clean()
		}
	}
	var text bytes.Buffer
	if err := newJSON(&text, Options{}).Finish(r); err != nil {
		t.Fatal(err)
	}
}

// TestGuestCounts: what was not run is counted, and is no success.
func TestGuestCounts(t *testing.T) {
	c := sampleGuests().Count()
	if want := (Counts{Pass: 5, Fail: 2, Blocked: 2, Skip: 2, Error: 3, NotRun: 10}); c != want {
		t.Errorf("counted %+v, want %+v", c, want)
	}
	if c.Total() != 24 || c.Bad() != 17 {
		t.Errorf("%d cases, %d bad", c.Total(), c.Bad())
	}
}
