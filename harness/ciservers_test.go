package main_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"netnscheck/harness/internal/sandbox"
	"netnscheck/reports"
)

// readYAML reads a YAML file of the repository.
func readYAML(t *testing.T, path string, into any) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", path))
	if err == nil {
		err = yaml.Unmarshal(text, into)
	}
	if err != nil {
		t.Fatalf("read %s: %v", path, err)
	}
}

// action is action.yml.
type action struct {
	Inputs map[string]struct {
		Description string
		Default     *string
	}
	Outputs map[string]struct{ Value string }
	Runs    struct {
		Using string
		Steps []step
	}
}

type step struct {
	Name, If, Uses, Shell, Run string
	Env, With                  map[string]string
}

var (
	expression = regexp.MustCompile(`\$\{\{ *([a-z_.]+) *\}\}`)
	comparison = regexp.MustCompile(`^inputs\.([a-z]+) (==|!=) ''$`)
)

// play runs the steps of the action as GitHub does, but for those that use another action, in a folder with these
// inputs.
// outputs are what the steps set, summary is the summary of the job.
func (a *action) play(t *testing.T, dir string, server string, inputs map[string]string) (c call, outputs,
	summary string) {
	t.Helper()
	for name, in := range a.Inputs {
		if _, given := inputs[name]; !given {
			inputs[name] = *in.Default
		}
	}
	source, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	values := map[string]string{"github.action_path": source, "github.action_repository": "owner/netnscheck"}
	for name, value := range inputs {
		values["inputs."+name] = value
	}
	temp := t.TempDir()
	outputFile, summaryFile := filepath.Join(temp, "output"), filepath.Join(temp, "summary")
	for _, s := range a.Runs.Steps {
		if s.Uses != "" || !wanted(t, s.If, inputs) {
			continue
		}
		if s.Shell != "bash" || strings.Contains(s.Run, "${{") {
			t.Fatalf("%s: shell %q; its script may have no expression: its value would be run", s.Name, s.Shell)
		}
		cmd := exec.CommandContext(t.Context(), "bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", s.Run)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "GITHUB_ACTIONS=true", "RUNNER_TEMP="+temp, "RUNNER_ARCH=X64",
			"GITHUB_OUTPUT="+outputFile, "GITHUB_STEP_SUMMARY="+summaryFile, "GITHUB_SERVER_URL="+server)
		for name, value := range s.Env {
			cmd.Env = append(cmd.Env, name+"="+expression.ReplaceAllStringFunc(value, func(e string) string {
				name := expression.FindStringSubmatch(e)[1]
				value, known := values[name]
				if !known {
					t.Errorf("%s: there is no %s", s.Name, name)
				}
				return value
			}))
		}
		if c = finish(t, cmd); c.status != 0 {
			break
		}
	}
	text, _ := os.ReadFile(outputFile) // without it the step has no outputs
	told, _ := os.ReadFile(summaryFile)
	return c, string(text), string(told)
}

// wanted evaluates the condition of a step.
func wanted(t *testing.T, condition string, inputs map[string]string) bool {
	t.Helper()
	if condition == "" {
		return true
	}
	for part := range strings.SplitSeq(condition, " && ") {
		words := comparison.FindStringSubmatch(part)
		if words == nil {
			t.Fatalf("this test does not understand the condition %q", part)
		}
		value, known := inputs[words[1]]
		if !known {
			t.Errorf("there is no input %q", words[1])
		}
		if (value == "") != (words[2] == "==") {
			return false
		}
	}
	return true
}

func readAction(t *testing.T) *action {
	t.Helper()
	needSandbox(t)
	if _, err := reports.FormatNamed("markdown"); err != nil {
		sandbox.Lacking(t, err)
	}
	for _, name := range []string{"bash", "xargs", "curl", "tar", "sha256sum", "grep"} {
		needPrograms(t, name)
	}
	var a action
	readYAML(t, "action.yml", &a)
	for name, in := range a.Inputs {
		if in.Description == "" || in.Default == nil {
			t.Errorf("the input %s has no description or no default", name)
		}
	}
	return &a
}

// TestAction: the step has the status of the run, writes its reports where it says, tells the summary, and takes
// arguments as a shell does, without running them.
func TestAction(t *testing.T) {
	a := readAction(t)
	dir := write(t, map[string]string{"good.md": good, "red.md": red})
	inputs := func(run string) map[string]string {
		return map[string]string{"binary": buildHarness(t), "run": run, "output": "out"}
	}
	c, outputs, summary := a.play(t, dir, "",
		inputs("good.md --driver netlink\n--focus 'Make one' --label-filter '!mistake'"))
	c.want(t, 0, "1 passed")
	if outputs != "status=0\n" || !strings.Contains(summary, "1 passed") {
		t.Errorf("its outputs are %q, its summary %q", outputs, summary)
	}
	for name, out := range a.Outputs {
		file := strings.ReplaceAll(out.Value, "${{ inputs.output }}", filepath.Join(dir, "out"))
		if _, err := os.Stat(file); name != "status" && err != nil {
			t.Errorf("the output %s: %v", name, err)
		}
	}
	c, outputs, summary = a.play(t, dir, "", inputs("red.md good.md --driver netlink"))
	if c.want(t, 1, "1 failed"); outputs != "status=1\n" || !strings.Contains(summary, "red.md") {
		t.Errorf("its outputs are %q, its summary %q", outputs, summary)
	}
	with := inputs("red.md good.md --driver netlink")
	with["baseline"] = "out/results.json"
	c, outputs, _ = a.play(t, dir, "", with)
	if c.want(t, 0, "no regression"); outputs != "status=0\n" {
		t.Errorf("by a baseline its outputs are %q", outputs)
	}
	c, _, _ = a.play(t, dir, "", inputs("good.md $(touch run) `touch run` ; touch run"))
	if _, err := os.Stat(filepath.Join(dir, "run")); err == nil || c.status != 2 {
		t.Errorf("arguments were run, or taken: status %d\n%s", c.status, c.stderr)
	}
	c, _, _ = a.play(t, dir, "", inputs("good.md 'netlink"))
	c.want(t, 1, "unmatched single quote")
}

// TestActionGetsTheHarness: built from its source, or downloaded from the release and checked.
func TestActionGetsTheHarness(t *testing.T) {
	a := readAction(t)
	dir := write(t, map[string]string{"good.md": good})
	const run = "good.md --driver netlink"
	c, _, _ := a.play(t, dir, "", map[string]string{"run": run})
	c.want(t, 0, "passed in")

	program, err := os.ReadFile(buildHarness(t))
	if err != nil {
		t.Fatal(err)
	}
	var archive bytes.Buffer
	packed := gzip.NewWriter(&archive)
	w := tar.NewWriter(packed)
	w.WriteHeader(&tar.Header{Name: "harness", Mode: 0o755, Size: int64(len(program))})
	w.Write(program)
	w.Close()
	packed.Close()
	sums := fmt.Sprintf("%x  netnscheck_amd64.tar.gz\n%064x  netnscheck_arm64.tar.gz\n", sha256.Sum256(archive.Bytes()), 0)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/owner/netnscheck/releases/download/v1.2.3/netnscheck_amd64.tar.gz":
			w.Write(archive.Bytes())
		case "/owner/netnscheck/releases/download/v1.2.3/SHA256SUMS":
			w.Write([]byte(sums))
		default:
			http.NotFound(w, r)
		}
	}))
	defer server.Close()
	c, _, _ = a.play(t, dir, server.URL, map[string]string{"run": run, "version": "v1.2.3"})
	c.want(t, 0, "passed in")
	c, _, _ = a.play(t, dir, server.URL, map[string]string{"run": run, "version": "v9"})
	c.want(t, 22, "404")
	sums = fmt.Sprintf("%064x  netnscheck_amd64.tar.gz\n", 1)
	c, _, _ = a.play(t, dir, server.URL, map[string]string{"run": run, "version": "v1.2.3"})
	c.want(t, 1, "netnscheck_amd64.tar.gz: FAILED")
}

// gitLabJob is a job of docs/ci/gitlab.yml.
type gitLabJob struct {
	Stage, Image, When string
	Script             []string
	BeforeScript       []string `yaml:"before_script"`
	Needs              []string
	Parallel           int
	Artifacts          struct {
		Paths    []string
		When     string
		ExpireIn string            `yaml:"expire_in"`
		Reports  map[string]string // by kind
	}
}

// TestGitLab runs the scripts of the jobs as a runner does: each in the project's folder, where only the artifacts of
// the jobs that it needs are.
func TestGitLab(t *testing.T) {
	needSandbox(t)
	for _, name := range []string{"bash", "mv"} {
		needPrograms(t, name)
	}
	var file map[string]yaml.RawMessage
	readYAML(t, "docs/ci/gitlab.yml", &file)
	variables := map[string]string{}
	if err := yaml.Unmarshal(file["variables"], &variables); err != nil {
		t.Fatal(err)
	}
	jobs := map[string]gitLabJob{}
	for name, text := range file {
		if name == "variables" {
			continue
		}
		var job gitLabJob
		if err := yaml.UnmarshalWithOptions(text, &job, yaml.Strict()); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		jobs[name] = job
	}
	names := slices.Sorted(maps.Keys(jobs))
	if want := []string{"netnscheck", "netnscheck:build", "netnscheck:report"}; !slices.Equal(names, want) {
		t.Fatalf("the jobs are %q, want %q", names, want)
	}
	project := write(t, map[string]string{"good.md": good, "red.md": red})
	source, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	variables["NETNSCHECK_SOURCE"], variables["NETNSCHECK_RUN"] = source, "good.md red.md --driver netlink"
	run := func(name string, more ...string) call {
		cmd := exec.CommandContext(t.Context(), "bash", "-eo", "pipefail", "-c", strings.Join(jobs[name].Script, "\n"))
		cmd.Dir = project
		cmd.Env = append(append(os.Environ(), more...), "CI=true", "GITLAB_CI=true", "CI_PROJECT_DIR="+project)
		for name, value := range variables {
			cmd.Env = append(cmd.Env, name+"="+value)
		}
		return finish(t, cmd)
	}
	build := run("netnscheck:build")
	build.want(t, 0)
	test := jobs["netnscheck"]
	for n := 1; n <= test.Parallel; n++ {
		c := run("netnscheck", fmt.Sprintf("CI_NODE_INDEX=%d", n), fmt.Sprintf("CI_NODE_TOTAL=%d", test.Parallel))
		c.want(t, n-1, "results/"+fmt.Sprint(n)+"/junit.xml") // good.md is the first shard, red.md the second
	}
	report := jobs["netnscheck:report"]
	c := run("netnscheck:report")
	c.want(t, 1, "1 failed")
	validJUnit(t, filepath.Join(project, report.Artifacts.Reports["junit"]))
	for _, job := range jobs {
		for _, path := range job.Artifacts.Paths {
			if _, err := os.Stat(filepath.Join(project, path)); err != nil {
				t.Errorf("an artifact: %v", err)
			}
		}
		for _, need := range job.Needs {
			if _, ok := jobs[need]; !ok {
				t.Errorf("there is no job %q", need)
			}
		}
	}
	if report.When != "always" || test.Artifacts.When != "always" {
		t.Error("after a failure there would be no report")
	}
}

// TestContainer: in a root with what Containerfile puts into it and what a container runtime mounts, the harness runs.
func TestContainer(t *testing.T) {
	needSandbox(t)
	text, err := os.ReadFile("../Containerfile")
	if err != nil {
		t.Fatal(err)
	}
	root, entry, base, workdir := t.TempDir(), []string(nil), "", "/"
	for line := range strings.Lines(string(text)) {
		words := strings.Fields(line)
		switch {
		case len(words) == 0 || strings.HasPrefix(line, "#"):
		case words[0] == "FROM":
			base = words[1]
		case words[0] == "COPY" && len(words) == 3 && words[1] == "bin/harness": // what make build builds
			program, err := os.ReadFile(buildHarness(t))
			if err == nil {
				err = os.WriteFile(filepath.Join(root, words[2]), program, 0o755)
			}
			if err != nil {
				t.Fatal(err)
			}
		case words[0] == "WORKDIR":
			if workdir = words[1]; os.Mkdir(filepath.Join(root, workdir), 0o755) != nil {
				t.Fatalf("make the folder %s", workdir)
			}
		case words[0] == "ENTRYPOINT":
			if err := json.Unmarshal([]byte(strings.TrimPrefix(line, "ENTRYPOINT")), &entry); err != nil {
				t.Fatal(err)
			}
		default:
			t.Fatalf("this test does not understand %s", line)
		}
	}
	if base != "scratch" || len(entry) != 1 {
		t.Fatalf("it is made from %q, and starts %q", base, entry)
	}
	for _, dir := range []string{"proc", "sys", "dev", "old"} {
		if err := os.Mkdir(filepath.Join(root, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"mount", "pivot_root"} {
		needPrograms(t, name)
	}
	// Without pivot_root it would be a chroot, where the kernel gives no user namespaces.
	prepare := fmt.Sprintf(`export PATH=$PATH:/usr/sbin:/sbin
mount --bind %[1]s %[1]s
for d in proc sys dev; do mount --rbind /$d %[1]s/$d; done
cd %[1]s
pivot_root . old
cd %[3]s
exec %[2]s `, root, entry[0], workdir)
	run := func(args string) call { return unshared(t, t.TempDir(), ownMounts(), prepare+args) }
	run("version").want(t, 0, "netnscheck ")
	run("run veth-pair --driver netlink -q").want(t, 0, "19 cases:", "18 passed, 1 skipped")
	r, err := reports.ReadJSON(filepath.Join(root, workdir, "results", "results.json"))
	if err != nil || r.Count().Pass == 0 {
		t.Errorf("%v; %v", err, r)
	}
}

// TestReleases: what .goreleaser.yaml names is there. make dist runs it.
func TestReleases(t *testing.T) {
	var config struct {
		Builds []struct {
			Main         string
			Env          []string
			Goos, Goarch []string
		}
		Archives []struct{ Files []string }
		Nfpms    []struct {
			Formats  []string
			Contents []struct{ Src, Dst string }
		}
	}
	readYAML(t, ".goreleaser.yaml", &config)
	if len(config.Builds) != 1 || len(config.Archives) != 1 || len(config.Nfpms) != 1 {
		t.Fatalf("it has %+v", config)
	}
	build := config.Builds[0]
	if !slices.Equal(build.Env, []string{"CGO_ENABLED=0"}) || !slices.Equal(build.Goarch, []string{"amd64", "arm64"}) {
		t.Errorf("it builds %+v", build)
	}
	paths := append(slices.Clone(config.Archives[0].Files), filepath.Join(build.Main, "main.go"))
	for _, c := range config.Nfpms[0].Contents {
		paths = append(paths, c.Src)
	}
	for _, path := range paths {
		if found, err := filepath.Glob(filepath.Join("..", path)); err != nil || len(found) == 0 {
			t.Errorf("there is no %s", path)
		}
	}
}
