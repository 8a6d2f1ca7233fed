package proof_test

import "testing"

// TestChallenge solves a challenge by hand, not without going wrong: nothing tells the solution.
func TestChallenge(t *testing.T) {
	asEach(t, func(t *testing.T, uid int) {
		r := compared(t, "challenge")
		p := sits(t, uid, home(t, uid), "lab", "start", "veth-pair-challenge")
		p.prompts(r, "harness lab start veth-pair-challenge")
		for _, command := range []string{
			"ip link add to-beta type veth peer name to-alpha",
			"ip link set to-beta netns alpha",
			"ip link set to-alpha netns betta",
			"ip link set to-alpha netns beta",
			"ip -n alpha addr add 10.44.0.1 dev to-beta",
			"ip -n alpha addr add 10.44.0.1/24 dev to-beta",
			"ip -n beta addr add 10.44.0.2/24 dev to-alpha",
			"ip -n alpha link set to-beta up",
			"lab why",
			"ip -n beta link set to-alpha up",
			"lab next",
			"ip link",
			"ip -n gamma addr",
			"lab hint",
			"ip link set to-gamma netns delta",
			"ip -n gamma addr add 172.20.0.1/24 dev to-delta",
			"lab check",
			"ip -n gamma addr del 172.20.0.1/32 dev to-delta",
			"ip -n delta addr add 172.20.0.2/24 dev to-gamma",
			"ip -n gamma link set to-delta up",
			"ip -n delta link set to-gamma up",
			"ip -n alpha link del to-beta",
			"lab",
			"lab map",
		} {
			p.says(r, command)
		}
		p.types("lab quit\n")
		p.ends(r, "lab quit", 0)
		r.end()
	})
}
