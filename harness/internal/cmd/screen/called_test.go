package screen

import "testing"

func TestCalled(t *testing.T) {
	for arg0, want := range map[string]string{
		"harness":     "harness",
		"bin/harness": "bin/harness",
		"/tmp/go-build1774925417/b001/exe/harness": "go run ./harness",
		"/tmp/go-build1774925417/harness":          "/tmp/go-build1774925417/harness",
		"exe/harness":                              "exe/harness",
	} {
		if got := Called(arg0); got != want {
			t.Errorf("%s is called as %q, want %q", arg0, got, want)
		}
	}
}
