package main_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// ofHisOwn is a teacher's lab in which each learner has another task.
const ofHisOwn = `---
vars:
  room: [blue, green, red]
  net: 10.{1..200}.7
---
# A room for {{room}}

## Make the room {{room}}

<!-- points: 2 -->
Make it, and give its lo {{net}}.1/32.

` + "```console\n$ ip netns add {{room}}\n$ ip -n {{room}} addr add {{net}}.1/32 dev lo\n```" + `

- [ ] namespace ` + "`{{room}}`" + ` exists
- [ ] ` + "`lo` in `{{room}}` has the address `{{net}}.1/32`" + `
<!-- fail: Is it really {{net}}.1/32? -->
`

// TestLabOfHisOwn: a learner's seed gives him values, with which his lab goes on; when he leaves he is told how to go
// on and what to hand in, and that is graded with his seed, not with another one's.
func TestLabOfHisOwn(t *testing.T) {
	eachLearner(t, func(t *testing.T, uid int) {
		needPrograms(t, "bash")
		needPrograms(t, "ip")
		l := sits(t, uid, "version")
		l.ends()
		home := l.cmd.Dir
		if err := os.WriteFile(filepath.Join(home, "room.md"), []byte(ofHisOwn), 0o644); err != nil {
			t.Fatal(err)
		}
		l = l.joins(t, uid, "lab", "start", "room.md", "--seed", "Finn7")
		l.expects(`A room for blue`)
		l.expects(`give its lo 10\.91\.7\.1/32`)
		l.expects(`\[room\] ~ # `)
		l.says("ip netns add blue", `✓ .*namespace .blue. exists`)
		l.expects(`\[room\] ~ # `)
		l.types("exit\n")
		l.expects(`“A room for blue” is not done yet\. To go on:\r\n  .* lab start room\.md\r\n`)
		l.expects(`to be handed in`)
		path := l.expects(`~/\.local/state/netnscheck/labs/room-[0-9a-f]+/progress\.json`)
		if status := l.ends(); status != 0 {
			t.Errorf("status %d", status)
		}
		other := l.joins(t, uid, "lab", "start", "room.md", "--seed", "Eve")
		other.expects(`it was begun with --seed Finn7, not Eve`)
		if status := other.ends(); status != 2 {
			t.Errorf("with another seed: status %d", status)
		}
		again := l.joins(t, uid, "lab", "start", "room.md")
		again.expects(`A room for blue`)
		again.expects(`\[room\] ~ # `)
		again.says("ip -n blue addr add 10.91.7.1/32 dev lo", `Make the room blue is done`)
		again.expects(`\[room\] ~ # `)
		again.types("exit\n")
		again.expects(`“A room for blue” is done\.`)
		again.ends()
		roster := "name,seed,file\nFinn,Finn7,finn.json\nEve,,eve.json\n"
		text, err := os.ReadFile(filepath.Join(home, strings.TrimPrefix(path, "~/")))
		if err != nil {
			t.Fatal(err)
		}
		dir := write(t, map[string]string{"room.md": ofHisOwn, "class.csv": roster, "in/finn.json": string(text),
			"in/eve.json": string(text)})
		harness(t, dir, "lab", "grade", "in", "--lab", "room.md", "--roster", "class.csv").want(t, 0, "Finn     ✓  2/2",
			"Eve      ✗  0/2", "it was done with values that are not this learner's")
	})
}
