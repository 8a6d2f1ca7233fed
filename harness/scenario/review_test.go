package scenario

import (
	"strings"
	"testing"
)

func TestReview(t *testing.T) {
	const solution = "```console\n$ ip link set  x up\n$ ip link\n$ ping -c1 10.0.0.1\n```\n"
	const check = "- [ ] `x` in `host` is up\n"
	for name, c := range map[string]struct{ src, want string }{
		"good":     {solution + check, ""},
		"no check": {solution, `3: the step "S" has commands but no check`},
		"two steps of one title": {solution + check + "## S\n" + check,
			`10: a second step with the title "S": the first is in line 3`},
		"two mistakes of one title": {solution + check + "### Mistake: m\n" + check + "### Mistake: m\n" + check,
			`12: a second mistake with the title "m"`},
		"nothing repairs": {check + "### Mistake: m\n" + solution, `5: nothing repairs the mistake "m"`},
		"a fix repairs": {check + "### Mistake: m\n" + solution +
			"```console fix\n$ ip link set y up\n```\n", ""},
		"hint with the command": {solution + check + "> [!TIP]\n> Try `ip link set x\n> up`.\n",
			"10: the hint contains a whole command line of a solution: ip link set x up"},
		"hint with a part": {solution + check + "> [!TIP]\n> Try `ip link set x`, then `up`.\n", ""},
		"hint with another": {solution + check +
			"> [!TIP]\n> Try `ip link set x upwards` or ip link set x up-to.\n", ""},
		"hint with a look": {solution + check +
			"> [!TIP]\n> `ip link` shows it, `ping -c1 10.0.0.1` tries it.\n", ""},
		"hint of a mistake with a fix": {solution + check + "### Mistake: m\n" + check +
			"```console fix\n$ ip link set y up\n```\n> [!TIP]\n> ip link set y up\n", "15: the hint contains"},
		"hint with the command further": {solution + check +
			"> [!TIP]\n> No `xip link set x up`, but `ip link set x up`.\n", "10: the hint contains"},
	} {
		t.Run(name, func(t *testing.T) {
			sc, err := Parse("t.md", []byte(lesson(c.src)))
			if err != nil {
				t.Fatal(err)
			}
			problems := Review(sc)
			if c.want == "" && len(problems) > 0 {
				t.Errorf("problems: %v", problems)
			}
			if c.want != "" && (len(problems) != 1 || !strings.HasPrefix(problems[0].String(), "t.md:"+c.want)) {
				t.Errorf("problems %v, want %q", problems, c.want)
			}
		})
	}
}
