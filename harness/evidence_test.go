package main_test

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/gopacket/gopacket/pcapgo"

	"netnscheck/reports"
)

// cut is a scenario whose second step fails: its cable has one end down. Its last command ends with a status that the
// scenario does not expect when it is told to.
const cut = `# A cable that is cut

## Connect two namespaces
` + "```console\n$ ip netns add a\n$ ip netns add b\n$ ip link add va netns a type veth peer name vb netns b\n" +
	"$ ip -n a addr add 10.0.0.1/24 dev va\n$ ip -n b addr add 10.0.0.2/24 dev vb\n```\n" + `
- [ ] ` + "`b` has the interface `vb`" + `

## Use it
` + "```console\n$ ip -n a link set va up\n$ ip -n a link show nosuch\n[!]\n```\n" + `
- [ ] ` + "`a` reaches `10.0.0.2` within `50ms`" + `
`

// TestEvidence plays a scenario that fails, as whoever runs the tests and as an ordinary user, looks at the folder,
// runs its script, and plays the case again from the folder in another place.
func TestEvidence(t *testing.T) {
	needSandbox(t)
	needPrograms(t, "ip")
	for _, who := range []string{"whoever this is", "an ordinary user"} {
		t.Run(who, func(t *testing.T) {
			dir := write(t, map[string]string{"cut.md": cut})
			as := func(args ...string) *exec.Cmd {
				cmd := command(t, dir, args...)
				if os.Geteuid() == 0 && who == "an ordinary user" {
					asNobody(t, cmd)
				}
				return cmd
			}
			finish(t, as("run", "cut.md", "--driver", "iproute2", "--report", "html", "--report", "ktap", "--report",
				"markdown", "--report", "ctrf")).want(t, 1, "evidence in results/evidence/cut.iproute2.2\n",
				"1 passed, 1 failed")
			evidenceIn(t, filepath.Join(dir, "results", "evidence", "cut.iproute2.2"))
			for report, want := range map[string]string{
				"results.ktap": "#   evidence in results/evidence/cut.iproute2.2\n",
				"junit.xml":    "evidence in results/evidence/cut.iproute2.2\n",
				"report.html":  `href="evidence/cut.iproute2.2/"`,
				"summary.md":   "evidence in results/evidence/cut.iproute2.2\n",
				"ctrf.json":    `"evidence": "results/evidence/cut.iproute2.2"`,
				"results.json": `"evidence": "results/evidence/cut.iproute2.2"`,
			} {
				if text := contentOf(t, filepath.Join(dir, "results", report)); !strings.Contains(text, want) {
					t.Errorf("%q is not in %s", want, report)
				}
			}
			moved := filepath.Join(dir, "moved")
			if err := os.Rename(filepath.Join(dir, "results", "evidence", "cut.iproute2.2"), moved); err != nil {
				t.Fatal(err)
			}
			if err := os.Remove(filepath.Join(dir, "cut.md")); err != nil {
				t.Fatal(err)
			}
			reproduceByScript(t, as, moved)
			finish(t, as("diagnose", "--state", "moved/after.json", "--from", "a", "--to", "10.0.0.2")).want(t, 1,
				"peer-down")
			finish(t, as("map", "--state", "moved/before.json")).want(t, 0, "10.0.0.1/24")
			finish(t, as("run", "--reproduce", "moved")).want(t, 1, "1 case: 0 passed, 1 failed",
				"cut.md:21: not true after",
				"to run it again: harness run --reproduce moved --case cut.iproute2.2")
			if r, err := reports.ReadJSON(filepath.Join(dir, "results", "results.json")); err != nil ||
				r.Suites[0].Cases[0].Evidence != "" {
				t.Errorf("%v; there is evidence of a case that was reproduced", err)
			}
		})
	}
}

// evidenceIn looks at each file of the folder of the failed step of cut.
func evidenceIn(t *testing.T, folder string) {
	t.Helper()
	for file, words := range map[string][]string{
		"README.txt":     {"“Use it” (cut.md:14): fail", "\nkernel.log ", "\npackets.pcapng  the packets"},
		"transcript.txt": {"$ ip -n a link set va up\n[0]", "Device \"nosuch\" does not exist.\n[1]"},
		"before.txt":     {"va@vb: <BROADCAST,MULTICAST> mtu 1500", "inet 10.0.0.1/24"},
		"after.txt":      {"va@vb: <NO-CARRIER,BROADCAST,MULTICAST,UP> mtu 1500", "10.0.0.0/24 dev va proto kernel"},
		"difference.txt": {"a: va: down, then up\n"},
		"drawing.txt":    {"*va ! no carrier"},
		"drawing.svg":    {"<svg"},
		"diagnosis.txt":  {"a does not reach 10.0.0.2\n", "(stopped here)", "peer-down on vb in b", "ip -n b link set vb up"},
		"processes.txt":  {"none\n"},
		"case.json":      {`"case": "cut.iproute2.2"`, `"driver": "iproute2"`, `"kernel"`, `"seed": 0`},
	} {
		text := contentOf(t, filepath.Join(folder, file))
		for _, word := range words {
			if !strings.Contains(text, word) {
				t.Errorf("%q is not in %s:\n%s", word, file, text)
			}
		}
	}
	if links := linksIn(t, filepath.Join(folder, "packets.pcapng")); !slices.Contains(links, "a/va") {
		t.Errorf("the links in packets.pcapng are %q", links)
	}
	if text := contentOf(t, filepath.Join(folder, "scenario.txt")); text != cut {
		t.Errorf("scenario.txt is\n%s", text)
	}
}

// linksIn are the names of the links in a file of packets, which is read to its end.
func linksIn(t *testing.T, path string) (names []string) {
	t.Helper()
	r, err := pcapgo.NewNgReader(strings.NewReader(contentOf(t, path)), pcapgo.DefaultNgReaderOptions)
	for err == nil {
		_, _, err = r.ReadPacketData()
	}
	if err != io.EOF {
		t.Fatalf("read %s: %v", path, err)
	}
	for i := range r.NInterfaces() {
		link, err := r.Interface(i)
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, link.Name)
	}
	return names
}

func contentOf(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// reproduceByScript runs reproduce.sh, where namespaces can be made without the harness.
func reproduceByScript(t *testing.T, as func(args ...string) *exec.Cmd, folder string) {
	t.Helper()
	sh, unshare := installed(t, "sh"), installed(t, "unshare")
	run := func(path string, args ...string) call {
		cmd := as()
		cmd.Path, cmd.Args = path, append([]string{path}, args...)
		return finish(t, cmd)
	}
	if c := run(unshare, "--user", "--map-root-user", "--net", "--mount", "true"); c.status != 0 {
		t.Logf("reproduce.sh was not run: %s", c.stderr)
		return
	}
	c := run(sh, filepath.Join(folder, "reproduce.sh"))
	c.want(t, 0, "# step 1: Connect two namespaces\n$ ip netns add a\n[0] as expected\n", "# step 2: Use it\n",
		"Device \"nosuch\" does not exist.\n[1] as expected\n")
}

// TestScriptShowsWhatFails: where a command has another status than the scenario says, the script has it, too.
func TestScriptShowsWhatFails(t *testing.T) {
	needSandbox(t)
	needPrograms(t, "ip")
	dir := write(t, map[string]string{"refused.md": strings.Replace(cut, "[!]", "[7]", 1)})
	harness(t, dir, "run", "refused.md", "--driver", "iproute2", "--case", "refused.iproute2.2", "--output",
		"out/of").want(t, 1, "wrong exit status", "evidence in out/of/evidence/refused.iproute2.2\n")
	script := filepath.Join(dir, "out", "of", "evidence", "refused.iproute2.2", "reproduce.sh")
	cmd := exec.CommandContext(t.Context(), installed(t, "sh"), script)
	trial := exec.Command(installed(t, "unshare"), "--user", "--map-root-user", "--net", "--mount", "true")
	if err := trial.Run(); err != nil {
		t.Skipf("no namespaces can be made without the harness: %v", err)
	}
	finish(t, cmd).want(t, 1, "Device \"nosuch\" does not exist.\n[1] expected: [7]\n")
}

// TestReproduceWhatIsNone: a folder that is none, or damaged, is refused before anything runs.
func TestReproduceWhatIsNone(t *testing.T) {
	needSandbox(t)
	dir := write(t, map[string]string{"good.md": good, "cut.md": strings.ReplaceAll(cut, "iproute2", "netlink"),
		"other/case.json": `{"version": 2, "program": "netnscheck 9"}`, "other/scenario.txt": cut})
	harness(t, dir, "run", "cut.md", "--driver", "netlink").want(t, 1)
	folder := filepath.Join(dir, "results", "evidence", "cut.netlink.2")
	for name, c := range map[string]struct {
		args []string
		says string
	}{
		"no folder":       {[]string{"nosuch"}, "reproduce nosuch: it is no folder of evidence: there is no case.json"},
		"another version": {[]string{"other"}, `it has version 2, written by "netnscheck 9", and this program knows`},
		"a name":          {[]string{folder, "good.md"}, "exclude each other"},
		"a driver":        {[]string{folder, "--driver", "netlink"}, "--reproduce and --driver exclude each other"},
		"another case":    {[]string{folder, "--case", "cut.netlink.1"}, "it is about the case cut.netlink.2"},
		"no name":         {[]string{""}, "--reproduce: the name of a folder is missing"},
	} {
		got := harness(t, dir, append([]string{"run", "--reproduce"}, c.args...)...)
		if got.status != 2 || !strings.Contains(got.stderr, c.says) || got.stdout != "" {
			t.Errorf("%s: %+v, want %q", name, got, c.says)
		}
	}
	scenario := filepath.Join(folder, "scenario.txt")
	if err := os.WriteFile(scenario, []byte(cut+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	harness(t, dir, "run", "--reproduce", folder).want(t, 2, "read scenario.txt: it is not the text that was played")
}

// TestEvidenceOfTheLastRunAlone: that of an earlier run is gone, and what is not evidence stays.
func TestEvidenceOfTheLastRunAlone(t *testing.T) {
	needSandbox(t)
	dir := write(t, map[string]string{"good.md": good, "cut.md": cut, "results/evidence/mine/x": "mine",
		"results/evidence/mine/case.json": "{}"})
	harness(t, dir, "run", "cut.md", "--driver", "netlink").want(t, 1, "evidence in results/evidence/cut.netlink.2\n")
	harness(t, dir, "run", "good.md", "--driver", "netlink").want(t, 0)
	if left := files(t, filepath.Join(dir, "results", "evidence")); strings.Join(left, " ") != "mine/case.json mine/x" {
		t.Errorf("there is %q", left)
	}
	harness(t, dir, "run", "cut.md", "--driver", "netlink", "--evidence=false").want(t, 1)
	if left := files(t, filepath.Join(dir, "results", "evidence")); strings.Join(left, " ") != "mine/case.json mine/x" {
		t.Errorf("with --evidence=false there is %q", left)
	}
}

// TestEvidenceOnAFullDisk is told in the reports, which stand elsewhere, and the verdict stays that of the run.
func TestEvidenceOnAFullDisk(t *testing.T) {
	needSandbox(t)
	needPrograms(t, "mount")
	dir := write(t, map[string]string{"cut.md": cut})
	c := unshared(t, dir, ownMounts(), "mount -t tmpfs -o size=64k tmpfs /mnt", "run", "cut.md", "--driver", "netlink",
		"--output", "/mnt/small", "--junit", "junit.xml", "--report", "json=results.json")
	c.want(t, 1, "keep the evidence of cut.netlink.2: write /mnt/small/evidence/cut.netlink.2/", "no space left on device")
	r, err := reports.ReadJSON(filepath.Join(dir, "results.json"))
	if err != nil || len(r.Problems) != 1 || r.Suites[0].Cases[1].Evidence != "" {
		t.Errorf("%+v, %v", r, err)
	}
}
