package main_test

import "testing"

// TestRequiresWithoutASandbox: required features are also tried without a sandbox.
func TestRequiresWithoutASandbox(t *testing.T) {
	there := ownRun(t)
	dir := write(t, map[string]string{"veth.md": "---\nrequires: [veth]\n---\n" + good})
	cmd := command(t, dir)
	there(cmd, "run", "veth.md", "--driver", "netlink", "--sandbox", "off")
	if output, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, output)
	}
}
