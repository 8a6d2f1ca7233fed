package explain

import (
	"bytes"
	"strings"
	"testing"

	"netnscheck/harness/diagnose/causes"
	"netnscheck/harness/internal/cmd/screen"
	"netnscheck/harness/internal/cmd/status"
)

func call(t *testing.T, args ...string) (string, error) {
	t.Helper()
	var out bytes.Buffer
	c := Command(screen.Plain(&out, &out, false))
	c.SetArgs(args)
	c.SilenceUsage, c.SilenceErrors = true, true
	err := c.ExecuteContext(t.Context())
	return out.String(), err
}

func TestList(t *testing.T) {
	out, err := call(t)
	if err != nil || !strings.HasPrefix(out, "Source\n") ||
		!strings.Contains(out, "Segment: bridges, tunnels, neighbours\n") {
		t.Errorf("%v\n%s", err, out)
	}
	for _, cause := range causes.Words() {
		if !strings.Contains(out, "\n  "+cause+" ") {
			t.Errorf("the list has no %s", cause)
		}
	}
}

func TestPage(t *testing.T) {
	cause, _ := causes.Parse("peer-down")
	if out, err := call(t, "peer-down"); err != nil || out != cause.Page() {
		t.Errorf("%v\n%s", err, out)
	}
}

func TestTheNearestCauseIsNamed(t *testing.T) {
	for word, want := range map[string]string{
		"per-down":      "there is no cause \"per-down\", did you mean `harness explain peer-down`?",
		"route-missing": "there is no cause \"route-missing\", did you mean `harness explain no-route`?",
		"missing-route": "there is no cause \"missing-route\", did you mean `harness explain no-route`?",
		"no-scope":      "there is no cause \"no-scope\", did you mean `harness explain scope-missing`?",
		"xyzzy":         "there is no cause \"xyzzy\"; `harness explain` lists all causes",
	} {
		out, err := call(t, word)
		if got, _ := status.Of(err); got != status.Usage || err.Error() != want || out != "" {
			t.Errorf("%s: %v\n%s", word, err, out)
		}
	}
}

func TestCompletion(t *testing.T) {
	c := Command(screen.Plain(nil, nil, false))
	words, _ := c.ValidArgsFunction(c, nil, "peer")
	if all := strings.Join(words, "\n"); !strings.Contains(all, "peer-down\tThis end of the veth pair is up") {
		t.Errorf("it offers\n%s", all)
	}
	if more, _ := c.ValidArgsFunction(c, []string{"peer-down"}, ""); len(more) > 0 {
		t.Errorf("behind a cause it offers %q", more)
	}
}
