package siege_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// graded is what the class table says of a learner.
type graded struct {
	Name, Status, Said string
	Points             int
}

// TestHandedInScripts: what a learner hands in to be graded can do no more than a scenario. It changes and reads
// nothing outside, brings its own learner no points that he has not earned, and takes none from another.
func TestHandedInScripts(t *testing.T) {
	besiege(t, func(c *caller) {
		paths := append(c.surround(), "/tmp", "/etc", "/")
		tamper := "env SIEGE_NAME=" + c.name + " " + attackName + " tamper " + strings.Join(paths, " ")
		// The output that counts has to be at the end, which alone is kept.
		told := func(command string) string {
			return command + " >/tmp/said 2>&1\ngrep '^" + strings.TrimSpace(broke) + "' /tmp/said | head -5\n" +
				"tail -n 1 /tmp/said\n"
		}
		c.folder(filepath.Join(c.dir, "in"), 0o755)
		for name, script := range map[string]string{
			"honest": "ip netns add proof\n",
			"tamper": told(tamper),
			"forge":  told(attackName + " forge class forged"),
			"calls":  told(attackName + " syscalls"),
			"touch":  told(attackName + " touch"),
			"kill":   attackName + " harm kill\n",
			"stop":   attackName + " harm stop\n",
			"fork":   attackName + " fork\n",
			"fill":   attackName + " fill\n",
		} {
			c.file(filepath.Join(c.dir, "in", name+".sh"), script, 0o644)
		}
		c.file(filepath.Join(c.dir, "lab.md"), honest, 0o644)
		r := c.start("lab", "grade", "in", "--lab", "lab.md", "--limit", "20s", "--json", "class.json")
		r.cmd.Wait() // the status is looked at below
		o := &outcome{stdout: r.stdout.String(), stderr: r.stderr.String(), status: r.cmd.ProcessState.ExitCode(),
			took: time.Since(r.began), ended: r.ctx.Err() == nil}
		text, err := os.ReadFile(filepath.Join(c.dir, "class.json"))
		o.text = o.stdout + o.stderr + string(text)
		c.intact(o)
		var class struct{ Learners []graded }
		if err == nil {
			err = json.Unmarshal(text, &class)
		}
		if err != nil || o.status > 1 || !o.ended || len(class.Learners) != 9 {
			c.Fatalf("%v, status %d after %v\n%s", err, o.status, o.took, o.text)
		}
		for _, l := range class.Learners {
			want := 0
			if l.Name == "honest" {
				want = 1
			}
			// Who stops what judges him gets no result.
			if l.Status != "graded" && l.Name != "stop" || l.Points != want || strings.Contains(l.Said, broke) {
				c.Errorf("%+v", l)
			}
			if slices.Contains([]string{"tamper", "calls", "touch"}, l.Name) && !strings.Contains(l.Said, done) {
				c.Errorf("the attack %s was cut short: %q", l.Name, l.Said)
			}
		}
	})
}
