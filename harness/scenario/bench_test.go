package scenario

import (
	"fmt"
	"strings"
	"testing"
)

// BenchmarkParse parses scenarios of many steps. The time for a step must not depend on how many there are.
func BenchmarkParse(b *testing.B) {
	for _, steps := range []int{250, 1000, 4000, 16000} {
		var text strings.Builder
		text.WriteString("# T\n")
		for i := range steps {
			fmt.Fprintf(&text, "\n## Step %d\n```console\n$ ip link set v0 alias x%d\n```\n\n"+
				"- [ ] the attribute `alias` of `v0` in `host` is `x%d`\n", i, i, i)
		}
		src := []byte(text.String())
		b.Run(fmt.Sprint(steps), func(b *testing.B) {
			for b.Loop() {
				if _, err := Parse("t.md", src); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*steps), "µs/step")
		})
	}
}
