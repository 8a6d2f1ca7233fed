package main_test

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

var picture = flag.Bool("picture", false, "take README's picture of a report in HTML anew, with Chromium, node and npm")

// TestPageOfALie: an ip that says yes and leaves a link down is in the page, as a failure of its driver alone. README
// has a picture of it.
func TestPageOfALie(t *testing.T) {
	needSandbox(t)
	ip, err := exec.LookPath("ip")
	if err != nil {
		t.Skipf("the program ip is missing: %v", err)
	}
	liar := fmt.Sprintf("#!/bin/sh\ncase \"$*\" in *\"link set vnic-testns up\") exit 0;; esac\nexec %s \"$@\"\n", ip)
	dir := write(t, map[string]string{"lies/ip": liar})
	lies := filepath.Join(dir, "lies")
	if err := os.Chmod(filepath.Join(lies, "ip"), 0o755); err != nil {
		t.Fatal(err)
	}
	cmd := command(t, dir, "run", "veth-pair", "--driver", "iproute2,netlink", "--label-filter", "!mistake",
		"--report", "html")
	cmd.Env = append(os.Environ(), "PATH="+lies+string(os.PathListSeparator)+os.Getenv("PATH"))
	finish(t, cmd).want(t, 1, "reports: results/junit.xml, results/results.json, results/report.html")
	path := filepath.Join(dir, "results", "report.html")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	page := string(text)
	list := page[strings.Index(page, "What did not pass"):strings.Index(page, ">Scenarios<")]
	for _, says := range []string{"· driver iproute2</span>", "peer-down on vnic-testns"} {
		if !strings.Contains(list, says) {
			t.Errorf("what did not pass does not say %q", says)
		}
	}
	if strings.Contains(list, "netlink</span>") {
		t.Error("netlink is blamed for what ip did")
	}
	if t.Failed() {
		t.Log(list)
	}
	if *picture {
		takePicture(t, path)
	}
}

func takePicture(t *testing.T, report string) {
	t.Helper()
	modules := t.TempDir()
	if err := os.CopyFS(modules, os.DirFS("../reports/html/test")); err != nil {
		t.Fatal(err)
	}
	chromium, err := exec.LookPath("chromium-headless-shell")
	if err != nil {
		t.Fatal(err)
	}
	to, err := filepath.Abs("../docs/pictures/report.png")
	if err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{
		{"npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"}, {"node", "picture.mjs", chromium, report, to},
	} {
		cmd := exec.Command(args[0], args[1:]...)
		cmd.Dir = modules
		if said, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", slices.Concat(args), err, said)
		}
	}
}
