package proof_test

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"netnscheck/harness/term"
)

// prompt is the prompt of a lab.
var prompt = regexp.MustCompile(`^\[[a-z-]+(: [a-z]+)?\] ~ #$`)

// differs is what differs from machine to machine and from run to run, in the output of ip and ping, and what stands
// for it in golden text.
var differs = []struct {
	what *regexp.Regexp
	as   string
}{
	{regexp.MustCompile(`^\d+: (\S+)@if\d+`), "N: $1@ifN"},
	{regexp.MustCompile(`(^|: )\d+: `), "${1}N: "},
	{regexp.MustCompile(`^(N: .*) state [A-Z]+`), "$1 state S"}, // told late: linkwatch
	{regexp.MustCompile(` \(id: \d+\)`), " (id: N)"},
	{regexp.MustCompile(`(link/ether|lladdr) [0-9a-f:]{17}`), "$1 xx:xx:xx:xx:xx:xx"},
	{regexp.MustCompile(`time=[0-9.]+ ms`), "time=T ms"},
	{regexp.MustCompile(`, time \d+ms`), ", time Tms"},
	{regexp.MustCompile(`mdev = [0-9./]+ ms`), "mdev = T ms"},
	{regexp.MustCompile(` (REACHABLE|STALE|DELAY|PROBE)$`), " STATE"},
}

// linkLocal is an address that the kernel adds in its own time.
const linkLocal = "    inet6 fe80:"

// canonical is what a terminal shows without what differs.
func canonical(lines []string) []string {
	var all []string
	for _, line := range joined(lines) {
		if len(all) > 0 && strings.HasPrefix(all[len(all)-1], linkLocal) {
			all = all[:len(all)-1]
			continue // with how long it is valid
		}
		for _, d := range differs {
			line = d.what.ReplaceAllString(line, d.as)
		}
		all = append(all, line)
	}
	return wrapped(atOnce(all))
}

// ofLink is how the lines of ip begin that are of many widths.
var ofLink = regexp.MustCompile(`^\d+: `)

// joined are the lines of ip that the terminal has wrapped, whole. Where they wrap at a space, that is not seen.
func joined(lines []string) (all []string) {
	more := 0
	for _, line := range lines {
		if more > 0 {
			all[len(all)-1] += strings.Repeat(" ", columns-more) + line
		} else {
			all = append(all, line)
		}
		width := term.Width(line)
		if more > 0 || ofLink.MatchString(line) {
			more = 0
			if width >= columns-1 {
				more = width
			}
		}
	}
	return all
}

// wrapped are lines as the terminal wraps them.
func wrapped(lines []string) (all []string) {
	for _, line := range lines {
		runes := []rune(line) // each of them one column wide
		for len(runes) > columns {
			all = append(all, strings.TrimRight(string(runes[:columns]), " "))
			runes = runes[columns:]
		}
		all = append(all, string(runes))
	}
	return all
}

var (
	gained  = regexp.MustCompile(`^✓ (.*?)(, and (\d+) more)? (\(\d+ of \d+\))$`)
	done    = regexp.MustCompile(`^✓ step \d+`)
	changed = regexp.MustCompile(`( appeared| disappeared|, then .*?)(, and (\d+) more)?$`)
)

// atOnce joins the news at the end of what a command has said: what a prompt does not wait for is told later, in lines
// of its own. It makes of them what is told if everything is known in time.
func atOnce(lines []string) []string {
	from := len(lines)
	for from > 0 && slices.ContainsFunc([]string{"✓ ", "✗ ", "→ "}, func(m string) bool {
		return strings.HasPrefix(lines[from-1], m)
	}) {
		from--
	}
	news := lines[from:]
	has := func(m string) bool {
		return slices.ContainsFunc(news, func(l string) bool { return strings.HasPrefix(l, m) })
	}
	if slices.ContainsFunc(news, done.MatchString) || has("✗ ") && has("→ ") { // no word on what was reached
		news = slices.DeleteFunc(slices.Clone(news), func(l string) bool {
			return strings.HasPrefix(l, "✓ ") && !done.MatchString(l)
		})
	}
	var all []string
	sum, first, count := 0, -1, ""
	for _, line := range news {
		m := gained.FindStringSubmatch(line)
		if m == nil || done.MatchString(line) {
			all = append(all, line)
			continue
		}
		if first < 0 {
			first = len(all)
			all = append(all, m[1])
		}
		more, _ := strconv.Atoi(m[3]) // "" is 0
		sum, count = sum+1+more, m[4]
	}
	if first >= 0 {
		end := " " + count
		if sum > 1 {
			end = fmt.Sprintf(", and %d more", sum-1) + end
		}
		all[first] = "✓ " + term.Cut(all[first], columns-2-term.Width(end), "…") + end
	}
	if len(all) > 1 && from > 1 && changed.MatchString(lines[from-1]) {
		from-- // there is room for two lines
	}
	return append(slices.Clone(lines[:from]), all...)
}

func TestCanonical(t *testing.T) {
	for _, c := range []struct{ got, want string }{
		{"$ x\na appeared\n✓ b (1 of 3)\n✓ c, and 1 more (3 of 3)", "$ x\na appeared\n✓ b, and 2 more (3 of 3)"},
		{"$ x\na appeared\n✓ b (1 of 3)\n→ c", "$ x\n✓ b (1 of 3)\n→ c"},
		{"$ x\na appeared\n✓ b (1 of 3)\n✓ step 1 of 2: c is done", "$ x\na appeared\n✓ step 1 of 2: c is done"},
		{"$ x\n✗ again: a (1 of 3)\n✓ b (2 of 3)\n→ c", "$ x\n✗ again: a (1 of 3)\n→ c"},
		{"12: a@if7: <" + strings.Repeat("U", 68) + "\nP> mtu", "N: a@ifN: <" + strings.Repeat("U", 68) + "P\n> mtu"},
	} {
		got := strings.Join(canonical(strings.Split(c.got, "\n")), "\n")
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
}
