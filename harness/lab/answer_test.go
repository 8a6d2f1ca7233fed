package lab

import (
	"strings"
	"testing"

	"netnscheck/harness/scenario"
)

// TestAnswerOfNothing: a command that is to print nothing may print empty lines, and no others.
func TestAnswerOfNothing(t *testing.T) {
	cmd := scenario.Command{Line: 7, Text: "true", Compared: true}
	for output, found := range map[string]string{
		"": "", "\n \n": "", "a\n": `"a"`, "a\nb\nc\nd\ne\n": `"a", "b", "c" and 2 more`,
	} {
		p := answer(scenario.Exchange{By: scenario.Named, Output: output}, scenario.Block{}, cmd, "iproute2", exactly)
		if p.Found != found || found != "" && (p.Expected != "nothing" || p.Message != "unexpected output") {
			t.Errorf("%q: %+v", output, p)
		}
	}
}

// TestAnswer: how strictly a result is compared depends on the program that printed it.
func TestAnswer(t *testing.T) {
	const lacks, busyboxLacks = `Cannot find device "v0"`, "ip: can't find device 'v0'"
	for _, c := range []struct {
		name   string
		by     scenario.By
		driver string
		blocks string // the drivers that the block names
		errno  string
		output string
		status int
		wrong  string // how the message begins, "" for none
	}{
		{"the program itself", scenario.Named, "iproute2", "", "", lacks, 1, ""},
		{"other words", scenario.Named, "iproute2", "", "", busyboxLacks, 1, "unexpected output"},
		{"another status", scenario.Named, "iproute2", "", "", lacks, 2, "wrong exit status"},
		{"a program of the netlink driver in other words", scenario.Named, "netlink", "", "", "", 1, ""},
		{"a program of the netlink driver with another status", scenario.Named, "netlink", "", "", lacks, 2,
			"wrong exit status"},
		{"netlink refuses", scenario.Harness, "netlink", "", "", "", 255, ""},
		{"netlink does not refuse", scenario.Harness, "netlink", "", "", "", 0, "wrong exit status"},
		{"netlink refuses otherwise", scenario.Harness, "netlink", "", "EPERM", "", 1, "unexpected refusal"},
		{"a program of the busybox driver", scenario.Named, "busybox", "", "", busyboxLacks, 1, "unexpected output"},
		{"busybox in iproute2's place", scenario.Busybox, "busybox", "", "", busyboxLacks, 2, ""},
		{"busybox does not refuse", scenario.Busybox, "busybox", "", "", lacks, 0, "wrong exit status"},
		{"busybox in its own block", scenario.Busybox, "busybox", "busybox", "", lacks, 1, ""},
		{"other words in its own block", scenario.Busybox, "busybox", "busybox", "", busyboxLacks, 1,
			"unexpected output"},
		{"another status in its own block", scenario.Busybox, "busybox", "netlink busybox", "", lacks, 2,
			"wrong exit status"},
		{"the harness in busybox's place", scenario.Harness, "busybox", "busybox", "EPERM", "", 255, ""},
		{"the harness does not refuse", scenario.Harness, "busybox", "busybox", "", lacks, 0, "wrong exit status"},
	} {
		b := scenario.Block{Drivers: strings.Fields(c.blocks), Errno: c.errno}
		cmd := scenario.Command{Compared: true, Output: []string{lacks}, Status: scenario.Status{Code: 1}}
		x := scenario.Exchange{By: c.by, Output: c.output, Status: c.status}
		got := answer(x, b, cmd, c.driver, exactly).Message
		if (c.wrong == "") != (got == "") || !strings.HasPrefix(got, c.wrong) {
			t.Errorf("%s: %q, want %q", c.name, got, c.wrong)
		}
	}
}
