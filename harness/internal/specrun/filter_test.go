package specrun

import (
	"strings"
	"testing"
)

// TestABrokenLabelFilterIsToldInOneLine checks the position, and that Ginkgo's markup is removed.
func TestABrokenLabelFilterIsToldInOneLine(t *testing.T) {
	for filter, want := range map[string]string{
		"a && (": `read --label-filter "a && (": at `,
		"a b ||": `read --label-filter "a b ||": at `,
		"&& a":   `at character 1, after ""`,
		"a && )": `at character 6, after "a && "`,
		"ü && )": `at character 6, after "ü && "`,
		"üü&ü":   `at character 3, after "üü"`,
		"ü && (": `read --label-filter "ü && (": at character 6, after "ü && "`,
		"ü: é":   `Invalid set operation 'é'`,
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
