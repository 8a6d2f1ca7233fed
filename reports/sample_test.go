package reports

import (
	"time"

	"netnscheck/harness/scenario"
)

// sample is a run with every outcome, and with texts that need escaping in every format.
func sample() *Run {
	section := func(step, mistake int, title string, o scenario.Outcome) scenario.SectionResult {
		kind := scenario.StepSection
		if mistake > 0 {
			kind = scenario.MistakeSection
		}
		return scenario.SectionResult{
			Scenario: "veth-pair", Driver: "iproute2", Kind: kind, Step: step, Mistake: mistake, Title: title,
			File: "scenarios/tutorial/veth-pair.md", Line: 10 * step, Outcome: o,
			Duration: time.Duration(step) * 3 * time.Millisecond,
		}
	}
	pass := section(1, 0, "Create the namespaces", scenario.Pass)
	pass.Transcript = []scenario.Exchange{
		{Line: 12, Command: "ip netns add testns", Argv: []string{"/usr/sbin/ip", "netns", "add", "testns"},
			Duration: time.Millisecond},
		{Line: 13, Command: "ip netns list", Output: "testns\n"},
	}
	pass.Excluded = []string{"the block in line 14 is for kernel<3.8"}
	pass.Checks = []scenario.CheckResult{
		{Line: 15, Text: "namespace `testns` exists", Phase: "before",
			Verdict: scenario.Verdict{Outcome: scenario.Pass}},
		{Line: 15, Text: "namespace `testns` exists", Phase: "after",
			Verdict: scenario.Verdict{Outcome: scenario.Pass}},
	}
	typo := section(1, 1, "a typo", scenario.Fail)
	typo.Problems = []scenario.Problem{{
		Line: 21, Message: "the status is not the one that is stated", Expected: "status 1",
		Found: "status 0\nand \x1b[31mred\x1b[0m \x00 text ]]> \xff",
		Hint:  "Look at the name.",
	}, {File: "other.md", Line: 3, Message: "a second problem", Diagnosis: []string{
		"cause:    peer-down on v1 in testns: v1 in testns is administratively down",
		"repair:   ip -n testns link set v1 up",
	}}}
	typo.Transcript = []scenario.Exchange{{
		Line: 21, Command: "ip link set vnic-prodns netns prodns",
		Output: "Cannot find device \"vnic-prodns\"\n\x1b[1m<b>&amp;</b>]]>\r\n",
		Status: 1, Errno: "ENODEV", Message: "device not found", Note: "the output is another one",
	}}
	typo.Checks = []scenario.CheckResult{{
		Line: 25, Text: "`host` has the interface `eth9`", Phase: "after",
		Verdict: scenario.Verdict{Outcome: scenario.Fail, Expected: "eth9", Found: "lo, ens192"},
		Hint:    "Its number is 9.",
	}}
	blocked := section(2, 0, "Move each end", scenario.Blocked)
	blocked.Reason = "needs step 1 “Create the namespaces”, which did not pass"
	skip := section(3, 0, "Look at the packets", scenario.Skip)
	skip.Reason = "line 31: the program tcpdump is not installed (package tcpdump)"
	skip.Missing = []string{"tcpdump"}
	broken := section(4, 0, "Ping", scenario.Error)
	broken.Problems = []scenario.Problem{{Message: "panic: out of luck\ngoroutine 1 [running]:\nmain.main()"}}
	xfail := section(5, 0, "Send # through the tunnel", scenario.XFail)
	xfail.Reason = "it fails as expected: ipip drops the mark (expectations.yaml:3)"
	xfail.Problems = []scenario.Problem{{Line: 52, Message: "`host` reaches 10.9.0.1", Found: "no reply"}}
	xpass := section(6, 0, "Add the rule twice", scenario.XPass)
	xpass.Reason = "it passed, although an expectation says that it fails (expectations.yaml:9)"
	flaky := section(7, 0, "Ping again", scenario.Flaky)
	flaky.Reason = "it failed, and passed when it was played again"
	flaky.Problems = []scenario.Problem{{Line: 71, Message: "`testns` reaches 192.168.2.1", Found: "no reply"}}
	notRun := section(8, 0, "Take it down", scenario.NotRun)
	notRun.Reason, notRun.Duration = "the run was interrupted", 0
	again := func(c scenario.SectionResult) []Attempt {
		lost := Attempt{Outcome: scenario.Fail, Problems: c.Problems, Duration: 20 * time.Millisecond,
			Transcript: []scenario.Exchange{{Line: 71, Command: "ping -c1 192.168.2.1", Status: 1, Note: "status 1"}}}
		broken := Attempt{Outcome: scenario.Error, Reason: "its worker was killed", Duration: 2 * time.Millisecond}
		return []Attempt{lost, broken, {Outcome: scenario.Pass, Duration: 19 * time.Millisecond}}
	}
	return &Run{
		Started: time.Date(2025, 3, 1, 12, 0, 0, 0, time.FixedZone("", 3600)), Duration: 1234 * time.Millisecond,
		Hostname:   "box",
		Properties: []Property{{"kernel", "6.18.0"}, {"architecture", "x86_64"}, {"seed", "0"}},
		Suites: []Suite{
			{
				ID: "veth-pair", Title: "Connect two network namespaces with a veth pair", Driver: "iproute2",
				File: "scenarios/tutorial/veth-pair.md", Started: time.Date(2025, 3, 1, 11, 0, 1, 0, time.UTC),
				Cases: []Case{
					{Name: "Create the namespaces", SectionResult: pass},
					{Name: "Create the namespaces / Mistake: a typo", SectionResult: typo,
						Evidence: "results/evidence/veth-pair.iproute2.1.1"},
					{Name: "Move each end", SectionResult: blocked},
					{Name: "Look at the packets", SectionResult: skip},
					{Name: "Ping", SectionResult: broken},
					{Name: "Send # through the tunnel", SectionResult: xfail, Expectation: &Expectation{
						File: "expectations.yaml", Line: 3, Reason: "ipip drops the mark",
						Link: "https://bugs.example.org/7", Expires: "2025-12-31"}},
					{Name: "Add the rule twice", SectionResult: xpass, Expectation: &Expectation{
						File: "expectations.yaml", Line: 9, Reason: "EEXIST is missing"}},
					{Name: "Ping again", SectionResult: flaky, Attempts: again(flaky)},
					{Name: "Take it down", SectionResult: notRun},
				},
				Again: "harness run veth-pair --var 'net=10.0.0.0/8 or so'",
			},
			{ID: "veth-pair", Title: "Connect two network namespaces with a veth pair", Driver: "netlink",
				Cases: []Case{{Name: "Create the namespaces", SectionResult: pass}}},
		},
		LeftOut: []LeftOut{
			{Program: "busybox", Package: "busybox", Driver: "busybox",
				Reason: "the program busybox is not installed (package busybox)"},
			{Program: "tcpdump", Package: "tcpdump", Cases: 1,
				Reason: "the program tcpdump is not installed (package tcpdump)"},
		},
		Install:  "apt-get install busybox tcpdump",
		Problems: []string{"interrupted: by SIGTERM"},
	}
}
