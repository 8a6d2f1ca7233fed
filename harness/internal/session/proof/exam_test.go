package proof_test

import "testing"

// TestExam: in an exam nothing is told but what holds: no hints, no reasons, no causes, no repairs, no solution. A lab
// that began as an exam goes on as one.
func TestExam(t *testing.T) {
	asEach(t, func(t *testing.T, uid int) {
		r := compared(t, "exam")
		at := home(t, uid)
		p := sits(t, uid, at, "lab", "start", "veth-pair", "--exam")
		p.prompts(r, "harness lab start veth-pair --exam")
		for _, command := range []string{
			"lab hint",
			"lab why",
			"lab solve",
			"lab check",
			"ip netns add testns",
			"ip netns add prodns",
			"ip link add vnix-prodns type veth peer name vnic-testns",
			"ip link set vnic-prodns netns prodns", // a mistake of the lesson
			"ip link set vnix-prodns netns prodnss",
			"lab why",
			"ip link set vnix-prodns netns testns",
			"lab",
		} {
			p.says(r, command)
		}
		p.types("lab watch\n")
		p.pictures(r, "lab watch")
		p.types("h")
		p.pictures(r, "h")
		p.types("s")
		p.pictures(r, "s")
		p.types("q")
		p.prompts(r, "q")
		p.types("exit\n")
		p.ends(r, "exit", 0)

		again := sits(t, uid, at, "lab", "start", "veth-pair")
		again.prompts(r, "harness lab start veth-pair")
		again.says(r, "lab hint")
		again.types("exit\n")
		again.ends(r, "exit", 0)
		r.end()
	})
}
