package specrun

import (
	"strings"
	"testing"
)

// TestABrokenLabelFilterIsToldInOneLine, with the place, and without the looks that Ginkgo gives it.
func TestABrokenLabelFilterIsToldInOneLine(t *testing.T) {
	for filter, want := range map[string]string{
		"a && (": `read --label-filter "a && (": at `,
		"a b ||": `read --label-filter "a b ||": at `,
		"&& a":   `at character 1, behind ""`,
		"a && )": `at character 6, behind "a && "`,
		"/(/":    `read --label-filter "/(/": at `,
	} {
		_, err := ParseFilter(filter, "")
		if err == nil || !strings.Contains(err.Error(), want) || strings.ContainsAny(err.Error(), "\n\x1b{}") {
			t.Errorf("%q: %q, want %q", filter, err, want)
		}
		t.Log(err)
	}
	if _, err := ParseFilter("netlink && (mistake || level-1)", ""); err != nil {
		t.Error(err)
	}
}
